"""Poison for the reply queue of the gateway. Nobody waits for these; they are dropped where they arrive."""

from __future__ import annotations

import os
import uuid
from typing import Any

import amqp

from services.chassis.sealing import CONTENT_TYPE
from tests.faults.poison.shapes import Make, Material, RawHeaders, Sent, Shape, flipped, spoilt

SIGNED_16 = b"s\x01\x00"


def _plain(body: bytes, **properties: Any) -> Make:
    def make(material: Material) -> Sent:
        kept = {"content_type": CONTENT_TYPE, "correlation_id": uuid.uuid4().hex, **properties}
        return Sent(amqp.Message(body, **kept), material.reply_queue)

    return make


def _copied(change: Any = None, **changed: Any) -> Make:
    def make(material: Material) -> Sent:
        body = None if change is None else change(bytes(material.reply.body))
        return Sent(spoilt(material.reply, body, **changed), material.reply_queue)

    return make


_SHAPES: tuple[tuple[str, Make], ...] = (
    ("an empty reply", _plain(b"")),
    ("a binary reply", _plain(os.urandom(300))),
    ("a reply in plain JSON", _plain(b'{"result": null, "error": null}')),
    ("a reply of 1.5 MB", _plain(b"\x01" * 1_500_000)),
    ("a reply without any property", lambda m: Sent(amqp.Message(b"x"), m.reply_queue)),
    ("a reply without a correlation id", _copied(correlation_id=None)),
    ("a replayed reply", _copied()),
    ("a reply cut short", _copied(lambda body: body[:-9])),
    ("a reply with a bit flipped", _copied(lambda body: flipped(body, -20))),
    ("a reply whose correlation id is no text", _plain(b"x", correlation_id=b"\xff\xfe")),
    ("a reply whose correlation id is half a character", _plain(b"x", correlation_id=b"\xed\xa0\x80")),
    ("a reply from beyond the end of time", _plain(b"x", timestamp=2**62)),
    (
        "a reply with a short integer in its headers",
        lambda m: Sent(RawHeaders(b"x", SIGNED_16), m.reply_queue),
    ),
)

SHAPES = tuple(Shape(name, "gone", make) for name, make in _SHAPES)
