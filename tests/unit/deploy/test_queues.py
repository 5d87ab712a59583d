"""What is said of a queue, and where a dead letter came from."""

from __future__ import annotations

from typing import Any

import amqp
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


@pytest.mark.parametrize(
    ("headers", "queue"),
    [
        ({"x-queue": "evt-echo--mirror"}, "evt-echo--mirror"),
        ({"x-death": [{"queue": "rpc-echo"}]}, "rpc-echo"),
        ({"x-queue": "a", "x-death": [{"queue": "b"}]}, "a"),
        ({"x-death": []}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_dead_letter_knows_where_it_died(headers: dict[str, Any] | None, queue: str) -> None:
    assert queues.origin(amqp.Message(b"", application_headers=headers)) == queue


def test_a_replayed_message_starts_afresh_and_keeps_its_own_headers() -> None:
    assert queues.stripped({"x-attempts": 8, "x-death": [], "traceparent": "00-1"}) == {"traceparent": "00-1"}
