"""Publishing with a promise, on the real broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.cell import Parts
from tests.eventlet_process import run
from tests.integration.running_services import Operator

CHILDREN = "tests.integration.confirm_children"


@pytest.fixture
def queue(operator: Operator) -> Iterator[str]:
    """A queue that takes everything."""
    name = f"test-{uuid.uuid4().hex}"
    operator.declare(name)
    yield name
    operator.delete(name)


@pytest.fixture
def full(operator: Operator) -> Iterator[str]:
    """A queue that takes one message and refuses the rest."""
    name = f"test-{uuid.uuid4().hex}"
    operator.declare(name, {"x-max-length": 1, "x-overflow": "reject-publish"})
    yield name
    operator.delete(name)


def test_n21_each_message_has_its_own_outcome(parts: Parts, queue: str, full: str) -> None:
    """The broker confirms what it cannot route, too; a return makes it a failure."""
    outcomes = run(f"{CHILDREN}:mixed", url=parts.rabbitmq_url("operator"), good=queue, full=full)
    assert outcomes == {
        queue: {"confirmed": 300},
        "nobody": {"returned": 300},
        full: {"confirmed": 1, "refused": 299},
    }


def test_n20_confirms_are_not_waited_for_one_by_one(parts: Parts, queue: str) -> None:
    seconds = run(f"{CHILDREN}:pipelined", url=parts.rabbitmq_url("operator"), good=queue, count=200)
    assert seconds["pipelined"] < seconds["serial"]


def test_a_lost_connection_leaves_no_message_without_an_outcome(parts: Parts, queue: str) -> None:
    found = run(f"{CHILDREN}:cut", url=parts.rabbitmq_url("operator"), good=queue)
    assert set(found["before"]) <= {"lost", "confirmed"}
    assert sum(found["before"].values()) == 50
    assert not found["all"]
    assert found["refused"]
    assert found["recovered"]
