"""Reading what a queue delivers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import amqp
import pytest

from services.chassis.deliveries import BODY_LIMIT, Poison, again, dead, fingerprint, open_delivery
from services.chassis.retries import Trail
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import MEDIA_TYPE, Event

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EVENT = Event.of("echo", NOTE_CHANGED, "notes/1", 3, NoteChanged(note_id="1"), now=NOW)


def message(body: Any = None, **properties: Any) -> amqp.Message:
    return amqp.Message(
        EVENT.to_json() if body is None else body, **{"content_type": MEDIA_TYPE, **properties}
    )


def test_an_event_is_read_with_its_trail() -> None:
    delivery = open_delivery(message(application_headers={"x-attempts": 2}), "echo")
    assert delivery.event == EVENT
    assert delivery.trail.attempts == 2


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (amqp.Message(EVENT.to_json()), "content_type"),
        (message(content_type="application/json"), "content_type"),
        (message(content_type="text/plain"), "content_type"),
        (message(content_encoding="gzip"), "content_encoding"),
        (message(b" " * (BODY_LIMIT + 1)), "too_large"),
        (message(b""), "not_an_event"),
        (message(b"\xff\xfe\x00"), "not_an_event"),
        (message(b"null"), "not_an_event"),
        (message(b"[]"), "not_an_event"),
        (message(b"{}"), "not_an_event"),
        (message(EVENT.to_json()[:-1]), "not_an_event"),
        (message(EVENT.to_json().replace(b'"3"', b'"0"')), "not_an_event"),
        (message(EVENT.to_json().replace(b'"3"', b'"-3"')), "not_an_event"),
        (message(EVENT.to_json().replace(b'"3"', b"3")), "not_an_event"),
        (message(EVENT.to_json().replace(b'"1.0"', b'"2.0"')), "not_an_event"),
        (message(EVENT.to_json().replace(b"notes/1", b"notes/../1")), "not_an_event"),
        (message(b"[" * 100_000), "not_an_event"),
        (message(EVENT.to_json().replace(b"/concordat/echo", b"/concordat/other")), "other_source"),
    ],
)
def test_what_is_not_an_event_is_poison_and_says_why(poison: amqp.Message, reason: str) -> None:
    with pytest.raises(Poison) as caught:
        open_delivery(poison, "echo")
    assert caught.value.reason == reason


def test_a_poison_quotes_nothing() -> None:
    with pytest.raises(Poison) as caught:
        open_delivery(message(b'{"name": "Jane Doe"}'), "echo")
    assert "Jane" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_a_put_off_event_is_durable_and_keeps_its_trail() -> None:
    delivery = open_delivery(message(), "echo")
    properties = again(EVENT.id, delivery.trail.failed(), 250)
    assert properties["delivery_mode"] == 2
    assert properties["expiration"] == "250"
    assert open_delivery(message(**properties), "echo").trail == delivery.trail.failed()


def test_a_dead_letter_says_why_and_where_from() -> None:
    properties = dead(message(), Trail(5, attempts=8), "evt-echo--mirror", "attempts")
    assert properties["content_type"] == MEDIA_TYPE
    headers = properties["application_headers"]
    assert headers["x-reason"] == "attempts"
    assert headers["x-queue"] == "evt-echo--mirror"
    assert headers["x-attempts"] == 8


def test_a_fingerprint_is_the_same_for_text_and_bytes() -> None:
    assert fingerprint(message("text")) == fingerprint(message(b"text"))
    assert "text" not in fingerprint(message(b"text"))
