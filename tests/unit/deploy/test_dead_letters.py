"""Where a dead letter came from, what it died of, and whether it has a way back."""

from __future__ import annotations

from typing import Any

import amqp
import pytest

from deploy import dead_letters
from deploy.dead_letters import Kind, homes, kind_of
from services.chassis.topology import INTAKE
from services.contracts.directory import SERVICES

MIRROR = homes("mirror", SERVICES["mirror"])


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
    assert dead_letters.origin(amqp.Message(b"", application_headers=headers)) == queue


def test_a_replayed_message_starts_afresh_and_keeps_its_own_headers() -> None:
    given = {"x-attempts": 8, "x-death": [], "traceparent": "00-1"}
    assert dead_letters.stripped(given) == {"traceparent": "00-1"}


def test_events_go_back_to_their_queues_and_records_to_the_intake() -> None:
    assert MIRROR == {"evt-echo--mirror": "mirror.retries"}
    assert homes("audit", SERVICES["audit"]) == {INTAKE: INTAKE}
    assert homes("echo", SERVICES["echo"]) == {}
    assert dead_letters.replayed_services() == ["audit", "mirror", "notify"]


@pytest.mark.parametrize(
    ("queue", "body", "kind"),
    [
        ("evt-echo--mirror", b"{}", Kind("evt-echo--mirror", "attempts", True)),
        ("evt-cases--notify", b"{}", Kind("evt-cases--notify", "attempts", False)),
        ("rpc-mirror", b"", Kind("rpc-mirror", "attempts", False)),
        ("evt-echo--mirror", b"", Kind("evt-echo--mirror", "attempts", False)),
    ],
)
def test_what_has_a_queue_of_its_service_and_a_body_may_be_replayed(
    queue: str, body: bytes, kind: Kind
) -> None:
    headers = {"x-queue": queue, "x-reason": "attempts"}
    assert kind_of(amqp.Message(body, application_headers=headers), MIRROR) == kind


def test_headers_that_make_no_sense_are_a_text() -> None:
    message = amqp.Message(b"x", application_headers={"x-queue": 7, "x-reason": {"a": 1}})
    assert kind_of(message, MIRROR) == Kind("7", "{'a': 1}", False)
