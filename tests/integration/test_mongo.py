"""The database behind the chassis, for real: under eventlet, contended, frozen, migrated by several."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from pymongo import MongoClient

from deploy.launcher.cell import Cell
from tests.cell import OPERATOR, Parts
from tests.eventlet_process import ChildProcess, run

CHILDREN = "tests.integration.mongo_children"
# A hub that waits for the database stands still for seconds; less than one is a busy machine.
LONGEST_GAP = 1.0


@pytest.fixture
def database() -> str:
    return f"test_{uuid4().hex[:8]}"


@pytest.fixture
def mongo_url(parts: Parts) -> str:
    """Of a user who may use any database."""
    return parts.mongo_url(OPERATOR)


def test_greenlets_read_and_write_at_once_without_stopping_the_hub(mongo_url: str, database: str) -> None:
    seen = run(f"{CHILDREN}:finds_and_transactions", url=mongo_url, database=database)
    assert seen["found"] == 300
    assert seen["moved"] == 20
    assert sum(seen["balances"]) == 400
    assert seen["balances"] == [100, 100, 100, 100]
    assert seen["longest_gap"] < LONGEST_GAP


def test_a_linearizable_read_sees_the_last_write(mongo_url: str, database: str) -> None:
    seen = run(f"{CHILDREN}:read_your_write", url=mongo_url, database=database)
    assert seen == {"found": {"_id": 1, "version": 7}, "aggregated": {"_id": 1, "version": 7}}


def test_a_frozen_database_is_answered_for_by_the_deadline_and_heals(
    cell: Cell, mongo_url: str, database: str
) -> None:
    pid, patience = cell.processes()["mongo"].pid, 1.5
    seen = run(f"{CHILDREN}:frozen", url=mongo_url, database=database, pid=pid, patience=patience)
    assert {answer["name"] for answer in seen["answers"]} == {
        "find", "find_all", "find_again", "update", "insert", "linearizable", "transaction", "begun",
    }  # fmt: skip
    for answer in seen["answers"]:
        assert answer["code"] in {"deadline_expired", "unavailable"}, answer
        # While no primary is known the driver looks up only every half second (its MIN_HEARTBEAT_INTERVAL).
        assert answer["seconds"] < patience + 1.5, answer
    assert seen["longest_gap"] < LONGEST_GAP
    assert max(seen["healed"]) < 5


def test_instances_that_start_together_run_each_step_once(mongo_url: str, database: str) -> None:
    start = time.time() + 2
    arguments = {"url": mongo_url, "database": database, "start_at": start}
    with (
        ChildProcess(f"{CHILDREN}:migrated", holder="one", **arguments) as one,
        ChildProcess(f"{CHILDREN}:migrated", holder="two", **arguments) as two,
    ):
        ran = [*one.result(), *two.result()]
    assert sorted(ran) == [f"step_{number}" for number in range(5)]
    assert runs(mongo_url, database) == [f"step_{number}" for number in range(5)]


def test_a_second_start_runs_nothing(mongo_url: str, database: str) -> None:
    arguments = {"url": mongo_url, "database": database, "start_at": 0, "holder": "one"}
    assert len(run(f"{CHILDREN}:migrated", **arguments)) == 5
    assert run(f"{CHILDREN}:migrated", **arguments) == []


def test_a_step_in_which_an_instance_died_is_run_again_by_another(mongo_url: str, database: str) -> None:
    arguments = {"url": mongo_url, "database": database, "start_at": 0}
    with (
        pytest.raises(AssertionError, match="failed"),
        ChildProcess(f"{CHILDREN}:migrated", holder="one", die_in="step_2", **arguments) as dying,
    ):
        dying.result()
    ran = run(f"{CHILDREN}:migrated", holder="two", **arguments)
    assert ran == ["step_2", "step_3", "step_4"]
    assert runs(mongo_url, database) == ["step_0", "step_1", "step_2", "step_2", "step_3", "step_4"]


def test_a_service_is_given_its_database_and_is_ready_with_it(mongo_url: str, database: str) -> None:
    seen = run(f"{CHILDREN}:provided", url=mongo_url, database=database)
    assert seen == {"names": [database, database], "one_client": True, "failing": []}


def runs(url: str, database: str) -> list[str]:
    with MongoClient[dict[str, str]](url) as client:
        return [found["step"] for found in client[database]["runs"].find().sort("at")]
