"""What `identify` costs does not grow with whom it is about: many shares, a large agency, many cases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.access import Owner
from services.contracts.cases.cases import ListCases
from services.contracts.paging import Ref
from services.sharing.domain.ownership import Grant, register
from services.sharing.stores.ownerships import _row
from tests.bench.cpu import seconds_used
from tests.cell import Parts
from tests.integration.calling import Calling, Instance
from tests.integration.partnership import Partnership, Person, clock
from tests.integration.sharing_gate import sharing_alone

SHARES, USERS = 2_000, 5_000
ROUNDS, CALLS = 7, 200


@pytest.fixture(scope="module")
def sharing(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with sharing_alone(parts, tmp_path_factory.mktemp("sizes")) as running:
        yield running


@pytest.fixture
def partnership(sharing: Instance, parts: Parts, calling: Calling) -> Iterator[Partnership]:
    with connect(parts.mongo_url("sharing"), app="test") as client:
        made = Partnership(parts, calling, client["sharing"])
        yield made
        made.close()
        for name in ("ownerships", "users"):
            client["sharing"][name].delete_many({"filling": True})


def fill(partnership: Partnership, person: Person) -> None:
    """The person's agency gets thousands of users, and the person thousands of shares."""
    database: Any = partnership.database
    row = database["users"].find_one({"_id": person.id})
    more = ({**row, "_id": uuid.uuid4().hex, "username_key": uuid.uuid4().hex} for _ in range(USERS))
    database["users"].insert_many([{**one, "username": one["username_key"], "filling": True} for one in more])
    owner = Owner(user=Ref(id="u-o", name="O"), agency=Ref(id=partnership.police.id, name="Police"))
    database["ownerships"].insert_many(
        [{**_row(_shared(partnership, owner, person)), "filling": True} for _ in range(SHARES)]
    )


def _shared(partnership: Partnership, owner: Owner, person: Person) -> Any:
    now = clock()
    made = register(
        uuid.uuid4().hex, owner, client=None, regime="uk_gdpr", term=1, share_id=uuid.uuid4().hex, now=now
    )
    grant = Grant(
        id=uuid.uuid4().hex,
        kind="share",
        agency=Ref(id=person.agency_id, name="Homes"),
        user_ids=(person.id,),
        level="read",
        sections=("summary",),
        protocol_id=partnership.protocol.id,
        expires_at=now + timedelta(days=20),
        regime="uk_gdpr",
        granted_by=owner.user,
        granted_at=now,
        updated_at=now,
    )
    return made.model_copy(update={"grants": (grant,), "confirmed": True})


@pytest.mark.timeout(300)
def test_many_shares_in_a_large_agency_cost_what_few_in_a_small_one_do(
    partnership: Partnership, sharing: Instance
) -> None:
    small = partnership.person(partnership.charity, "Sam Small")
    large = partnership.person(partnership.homes, "Lou Large")
    fill(partnership, large)

    def cost(person: Person) -> float:
        before = seconds_used([sharing.pid])
        for _ in range(CALLS):
            person.caller("cases", "list_cases", ListCases())
        return seconds_used([sharing.pid]) - before

    cost(small), cost(large)  # what is made once is made now
    pairs = [(cost(large), cost(small)) for _ in range(ROUNDS)]
    times = median(one / other for one, other in pairs)
    each = median(one for one, _ in pairs) / CALLS * 1e3
    print(f"identify: {each:.2f} ms of CPU, {times:.2f} times the small one's")
    assert times <= 1.3
