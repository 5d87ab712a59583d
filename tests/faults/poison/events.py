"""Poison for mirror's queue of echo's events."""

from __future__ import annotations

import json
import os
from typing import Any

import amqp

from services.chassis.retries import ATTEMPTS, FIRST_AT
from services.chassis.topology import event_exchange
from services.contracts.echo import NOTE_CHANGED
from services.contracts.envelope import MEDIA_TYPE, new_event_id
from tests.faults.poison.shapes import Fate, Make, Material, RawHeaders, Sent, Shape, flipped, spoilt

EXCHANGE = event_exchange("echo")
SIGNED_16 = b"s\x01\x00"


def _sent(message: amqp.Message, routing_key: Any = NOTE_CHANGED) -> Sent:
    return Sent(message, routing_key, EXCHANGE)


def _plain(body: bytes, routing_key: Any = NOTE_CHANGED, **properties: Any) -> Make:
    return lambda _: _sent(amqp.Message(body, **{"content_type": MEDIA_TYPE, **properties}), routing_key)


def _with(**changed: Any) -> Make:
    """A true event with other attributes, about a note of its own; None leaves one out."""

    def make(material: Material) -> Sent:
        event = json.loads(material.event.body)
        event.update(id=new_event_id(), subject=f"notes/poison-{os.urandom(4).hex()}", sequence="1")
        event.update(changed)
        kept = {name: value for name, value in event.items() if value is not None}
        return _sent(spoilt(material.event, json.dumps(kept).encode()))

    return make


def _copied(**changed: Any) -> Make:
    return lambda material: _sent(spoilt(material.event, **changed))


def _body(change: Any) -> Make:
    return lambda material: _sent(spoilt(material.event, change(bytes(material.event.body))))


def _conflict(material: Material) -> Sent:
    """Another event under a number that has taken effect."""
    event = {**json.loads(material.event.body), "id": new_event_id()}
    return _sent(spoilt(material.event, json.dumps(event).encode()))


_SHAPES: tuple[tuple[str, Fate, Make], ...] = (
    ("an empty event", "dead mirror", _plain(b"")),
    ("an event that is no JSON", "dead mirror", _plain(b"<event/>")),
    ("an event that is a list", "dead mirror", _plain(b"[]")),
    ("an event that is null", "dead mirror", _plain(b"null")),
    ("a binary event", "dead mirror", _plain(os.urandom(256))),
    ("an event nested without end", "dead mirror", _plain(b"[" * 100_000)),
    ("an event of 1 MB", "dead mirror", _plain(b'{"a": "' + b"x" * 1_000_000 + b'"}')),
    ("an event without a content type", "dead mirror", _copied(content_type=None)),
    ("an event of another content type", "dead mirror", _copied(content_type="application/xml")),
    ("a compressed event", "dead mirror", _copied(content_encoding="gzip")),
    ("an event cut short", "dead mirror", _body(lambda body: body[:-3])),
    ("an event with a bit flipped in its beginning", "dead mirror", _body(lambda body: flipped(body, 0))),
    ("an event without an id", "dead mirror", _with(id=None)),
    ("an event whose id is no UUIDv7", "dead mirror", _with(id="1")),
    ("an event of another version", "dead mirror", _with(specversion="2.0")),
    ("an event without a sequence", "dead mirror", _with(sequence=None)),
    ("an event whose sequence is a number", "dead mirror", _with(sequence=1)),
    ("an event whose sequence is 0", "dead mirror", _with(sequence="0")),
    ("an event whose sequence is negative", "dead mirror", _with(sequence="-1")),
    ("an event whose sequence has a leading zero", "dead mirror", _with(sequence="01")),
    ("an event whose sequence has foreign digits", "dead mirror", _with(sequence="\u0661")),
    ("an event whose sequence has no end", "dead mirror", _with(sequence="9" * 5000)),
    ("an event from another source", "dead mirror", _with(source="/concordat/mirror")),
    ("an event from nowhere", "dead mirror", _with(source=None)),
    ("an event about nothing", "dead mirror", _with(subject="")),
    ("an event about a list", "dead mirror", _with(subject=["notes/1"])),
    ("an event at no time", "dead mirror", _with(time="yesterday")),
    ("an event at a time without a zone", "dead mirror", _with(time="2026-11-23T00:00:00")),
    ("an event whose data is text", "dead mirror", _with(data="note_id")),
    ("an event whose data lacks the note", "dead mirror", _with(data={})),
    ("an event whose data names the note wrongly", "dead mirror", _with(data={"note_id": {"$ne": ""}})),
    ("an event of a type that nobody handles", "gone", _with(type="note.unheard_of")),
    ("an event that took effect already", "gone", _copied()),
    ("another event under a number that took effect", "dead mirror", _conflict),
    (
        "an event with nonsense for attempts",
        "gone",
        _copied(application_headers={ATTEMPTS: "many", FIRST_AT: []}),
    ),
    (
        "an event first seen in the future",
        "gone",
        _copied(application_headers={ATTEMPTS: -5, FIRST_AT: 2**62}),
    ),
    ("an event whose message id is no text", "dead mirror", _plain(b"x", message_id=b"\xff\xfe")),
    ("an event whose routing key is no text", "dead mirror", _plain(b"x", b"note.\xff")),
    ("an event from beyond the end of time", "dead mirror", _plain(b"x", timestamp=2**62)),
    (
        "an event with a short integer in its headers",
        "dead mirror",
        lambda _: _sent(RawHeaders(b"x", SIGNED_16)),
    ),
)

SHAPES = tuple(Shape(name, fate, make) for name, fate, make in _SHAPES)
