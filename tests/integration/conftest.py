"""One broker and one database for all integration tests of a run."""

from __future__ import annotations

import gc
import logging
import sys
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import structlog

from deploy import demo
from deploy.launcher.cell import Cell
from services.chassis.mongo import connect
from services.mirror.store import MirrorStore
from tests.cell import Parts, running
from tests.checks.ground import Ground, ground
from tests.integration.calling import Calling, Ear
from tests.integration.running_services import Operator

_FEW = {
    *("a.tull", "p.marsh", "d.okoro", "l.beck"),
    *("e.vance", "j.foley"),
    *("admin.fire", "f.moss"),
    *("admin.opcc", "w.adeyemi", "y.north"),
}


@pytest.fixture(scope="package", autouse=True)
def quiet() -> Iterator[None]:
    """The clients in this process say nothing: structlog as it comes renders tracebacks, which takes time.

    Until the process leaves this folder: the unit tests that it may run afterwards read what is said.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def cell() -> Iterator[Cell]:
    """A broker and a database, without services."""
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def parts(cell: Cell) -> Parts:
    """Their addresses, for each user."""
    return Parts(cell)


@pytest.fixture
def operator(parts: Parts) -> Iterator[Operator]:
    """Who may publish and read what it likes."""
    operator = Operator(parts)
    yield operator
    operator.close()


@pytest.fixture
def database(parts: Parts) -> Iterator[Any]:
    """Mirror's."""
    with connect(parts.mongo_url("mirror"), app="test") as client:
        yield client["mirror"]


@pytest.fixture
def store(database: Any) -> MirrorStore:
    """Mirror's."""
    return MirrorStore(database)


@pytest.fixture(scope="module")
def calling(parts: Parts) -> Iterator[Calling]:
    """The gateway's client."""
    with Calling(parts, heartbeat=1) as calling:
        yield calling


@pytest.fixture
def ear(parts: Parts) -> Iterator[Ear]:
    """The operator, listening."""
    ear = Ear(parts)
    yield ear
    ear.close()


@pytest.fixture
def tag() -> str:
    """A name that no other test has."""
    return uuid.uuid4().hex


@pytest.fixture(scope="session")
def place() -> Iterator[Ground]:
    """The demonstration with as few people as will do: each costs two argon2 hashes."""
    seed = sys.modules["deploy.demo.seed"]  # the package has a function of this name
    few = tuple(person for person in seed.PEOPLE if person.username in _FEW)
    teams = {body: names for body, names in seed.TEAMS.items() if body in {one.body for one in few}}
    with ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            # No longer than the seeding: other tests of this process seed the whole of it.
            patch.setattr(seed, "PEOPLE", few)
            patch.setattr(seed, "TEAMS", teams)
            patch.setattr(demo, "PEOPLE", few)
            found = running.enter_context(ground())
        yield found
    with warnings.catch_warnings():
        # Each log-in of the seeding has connections of its own, which nobody closes.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
