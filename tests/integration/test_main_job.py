"""The main job, end to end, on real parts: the story that `make demo` seeds and the README tells.

The seven steps follow each other; what they do and what they assert is `tests/journey/steps.py`, which
`make journey` walks through a system that runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deploy import demo
from deploy.demo.api import Api
from deploy.demo.partnership import OPERATOR
from tests.checks.ground import Ground
from tests.journey import steps
from tests.journey.steps import HOUSING, POLICE, Walk

pytestmark = pytest.mark.timeout(300)

LISTS = {
    "operator": ("/agencies", "/protocols"),
    "agency_admin": ("/users", "/teams", "/clients"),
    "practitioner": ("/cases", "/subjects"),
}


@pytest.fixture(scope="module")
def walk(demonstration: Ground) -> Walk:
    return steps.begin(demonstration.cast)


def everything(system: Ground) -> dict[str, Any]:
    """Ids of all that the seeding makes, and of what is in each case."""
    readers = {
        "operator": Api(system.url).sign_in(OPERATOR.username, system.password(OPERATOR.username)),
        "practitioner": system.sign_in(POLICE, "practitioner"),
    }
    found = {path: _ids(api, path) for role, api in readers.items() for path in LISTS[role]}
    for agency in (POLICE, HOUSING):
        administrator = system.sign_in(agency, "agency_admin")
        found |= {f"{agency}{path}": _ids(administrator, path) for path in LISTS["agency_admin"]}
    for case in found["/cases"]:
        for part in ("entries", "tasks", "shares"):
            path = f"/cases/{case}/{part}"
            found[path] = _ids(readers["practitioner"], path)
    return found


def _ids(api: Api, path: str) -> list[str]:
    return sorted(one["id"] for one in api.all(path))


def test_filling_the_demonstration_again_doubles_nothing(demonstration: Ground) -> None:
    before, document = everything(demonstration), demonstration.document
    assert len(before["/cases"]) == 3
    assert {one["id"] for one in document["cases"]} == set(before["/cases"])
    demo.fill(demonstration.cell, 0, lambda text: None)
    assert (everything(demonstration), demonstration.document) == (before, document)


@pytest.mark.parametrize("step", steps.STEPS, ids=[step.__name__ for step in steps.STEPS])
def test_step(step: Callable[[Walk], str], walk: Walk) -> None:
    before = steps.STEPS[: steps.STEPS.index(step)]
    assert all(one.__name__ in walk.made for one in before), "an earlier step failed"
    walk.made[step.__name__] = step(walk)


def test_a_seeding_that_was_broken_off_is_finished_by_another(demonstration: Ground) -> None:
    before, document = everything(demonstration), demonstration.document
    (demonstration.cell.places.root / demo.FILE).unlink()
    demo.fill(demonstration.cell, 0, lambda text: None)
    after = demonstration.document
    assert everything(demonstration) == before
    assert {**after, "clients": None} == {**document, "clients": None}
    # A secret is told once: the system of an agency gets another.
    assert [one["id"] for one in after["clients"]] == [one["id"] for one in document["clients"]]
