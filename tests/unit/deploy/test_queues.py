"""What is said of a queue."""

from __future__ import annotations

from typing import Any

import pytest

from deploy import queues
from services.contracts.directory import SERVICES


def row(name: str, **figures: Any) -> dict[str, Any]:
    return {"name": name, "durable": True, **figures}


def remark(*rows: dict[str, Any], of: str) -> str:
    (found,) = [one.remark for one in queues.standings(list(rows), SERVICES) if one.name == of]
    return found


def test_lag_counts_what_waits_and_what_is_in_work() -> None:
    given = [row("rpc-echo", messages_ready=2, messages_unacknowledged=3, consumers=1)]
    (found,) = [one for one in queues.standings(given, SERVICES) if one.name == "rpc-echo"]
    assert (found.lag, found.remark) == (5, "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (row("evt-echo--renamed"), "orphaned"),
        (row("rpc-echo", consumers=0), "no consumer"),
        (row("dead-mirror", messages_ready=1), "dead letters"),
        (row("dead-mirror", messages_ready=0), ""),
        (row("evt-echo--mirror.retry-250"), ""),
        (row("rpc.reply-echo-1", durable=False, consumers=1), ""),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], said: str) -> None:
    found = remark(given, of=given["name"])
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_declared_queue_that_is_not_there_is_missed() -> None:
    assert remark(of="rpc-echo").startswith("missing")


def test_a_service_that_is_not_to_run_needs_no_consumer() -> None:
    given = [{"name": "rpc-echo", "durable": True, "consumers": 0}]
    (found,) = [one for one in queues.standings(given, SERVICES, ["mirror"]) if one.name == "rpc-echo"]
    assert found.remark == ""
