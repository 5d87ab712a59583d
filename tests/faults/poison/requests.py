"""Poison for the request queue of echo, in the form of a command."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import amqp

from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import CALLS
from tests.faults.poison.shapes import Fate, Make, Material, RawHeaders, Sent, Shape, flipped, spoilt

ROUTE = "echo.change_note"
SIGNED_16 = b"s\x01\x00"
"""Header type "s": a short integer to RabbitMQ and Java's client, a string to py-amqp."""


def _plain(body: bytes, **properties: Any) -> Make:
    """Nothing sealed, but addressed well."""

    def make(material: Material) -> Sent:
        usual = {
            "content_type": CONTENT_TYPE,
            "reply_to": material.reply_queue,
            "correlation_id": uuid.uuid4().hex,
        }
        kept = {name: value for name, value in {**usual, **properties}.items() if value is not None}
        return Sent(amqp.Message(body, **kept), ROUTE, CALLS)

    return make


def _copied(route: Any = ROUTE, body: bytes | None = None, **changed: Any) -> Make:
    """A true request, changed on the outside."""
    return lambda material: Sent(spoilt(material.request, body, **changed), route, CALLS)


def _cut(length: int) -> Make:
    return lambda material: Sent(spoilt(material.request, material.request.body[:length]), ROUTE, CALLS)


def _bent(at: int) -> Make:
    return lambda material: Sent(spoilt(material.request, flipped(material.request.body, at)), ROUTE, CALLS)


def _written(at: int, byte: int) -> Make:
    def make(material: Material) -> Sent:
        body = bytearray(material.request.body)
        body[at] = byte
        return Sent(spoilt(material.request, bytes(body)), ROUTE, CALLS)

    return make


def _sealed(content: bytes, sender: str = "honest", route: str = ROUTE, deadline: int | None = None) -> Make:
    """Sealed by the book, whatever is in it."""

    def make(material: Material) -> Sent:
        keyring: Keyring = getattr(material, sender)
        reply_to, correlation_id = material.reply_queue, uuid.uuid4().hex
        until = material.deadline if deadline is None else deadline
        body = keyring.seal("echo", content, until, f"{route}|{correlation_id}|{reply_to}".encode())
        properties = {"content_type": CONTENT_TYPE, "reply_to": reply_to, "correlation_id": correlation_id}
        return Sent(amqp.Message(body, **properties), route, CALLS)

    return make


def _call(request: Any = None, key: str | None = "poisonous-key-0001", **more: Any) -> bytes:
    call = {"args": [], "kwargs": {"request": request}, "request_id": "poison", "key": key, **more}
    return json.dumps({name: value for name, value in call.items() if value is not None}).encode()


GOOD = {"note_id": "poison", "text": "x"}

_SHAPES: tuple[tuple[str, Fate, Make], ...] = (
    ("a request without a reply address", "dead echo", _copied(reply_to=None)),
    ("a request without a correlation id", "dead echo", _copied(correlation_id=None)),
    ("a request without any property", "dead echo", lambda _: Sent(amqp.Message(b"{}"), ROUTE, CALLS)),
    ("a request with an empty reply address", "dead echo", _copied(reply_to="")),
    ("an empty request", "dead echo", _plain(b"")),
    ("a request that is one byte", "dead echo", _plain(b"\x01")),
    ("a request in plain JSON", "dead echo", _plain(_call(GOOD), content_type="application/json")),
    ("a request that is broken JSON", "dead echo", _plain(b'{"args": [', content_type="application/json")),
    ("a binary request", "dead echo", _plain(os.urandom(512))),
    ("a request of 1.5 MB", "dead echo", _plain(b"\x01" * 1_500_000)),
    ("a request whose encoding nobody knows", "dead echo", _plain(b"abc", content_encoding="klingon")),
    ("a replayed request", "gone", _copied()),
    (
        "a replayed request past its time",
        "gone",
        lambda m: Sent(spoilt(m.expired, expiration=None), ROUTE, CALLS),
    ),
    (
        "a replayed request for another reply address",
        "dead echo",
        _copied(reply_to="rpc.reply-gateway-other"),
    ),
    ("a replayed request under another correlation id", "dead echo", _copied(correlation_id="other")),
    ("a replayed request to another method", "dead echo", _copied("echo.say")),
    ("a replayed request to an unknown method", "dead echo", _copied("echo.unheard_of")),
    ("a request cut within its sender", "dead echo", _cut(5)),
    ("a request cut within its head", "dead echo", _cut(30)),
    ("a request cut within its body", "dead echo", _cut(-9)),
    ("a request with a bit flipped in its sender", "dead echo", _bent(3)),
    ("a request with a bit flipped in its counter", "dead echo", _bent(2 + 7 + 8 + 16 + 7)),
    ("a request with a bit flipped in its deadline", "dead echo", _bent(2 + 7 + 8 + 16 + 15)),
    ("a request with a bit flipped in its body", "dead echo", _bent(-20)),
    ("a request of another seal's version", "dead echo", _written(0, 2)),
    ("a request whose sender's name has no end", "dead echo", _written(1, 255)),
    ("a request from an unknown sender", "dead echo", _sealed(_call(GOOD), "unknown")),
    ("a request in a sender's name with another key", "dead echo", _sealed(_call(GOOD), "false")),
    ("a sealed request for an unknown method", "gone", _sealed(_call(GOOD), route="echo.unheard_of")),
    ("a sealed request for a method that is not one", "gone", _sealed(_call(GOOD), route="echo.__init__")),
    ("a sealed request that is not JSON", "dead echo", _sealed(b"\xff\xfe{")),
    ("a sealed request that is a list", "dead echo", _sealed(b"[]")),
    ("a sealed request nested without end", "dead echo", _sealed(b'{"args":' + b"[" * 100_000)),
    (
        "a sealed request with a number without end",
        "gone",
        _sealed(_call({"note_id": 10**4000, "text": "x"})),
    ),
    ("a sealed command without a key", "gone", _sealed(_call(GOOD, key=None))),
    ("a sealed request with an unknown field", "gone", _sealed(_call({**GOOD, "sender": "x"}))),
    ("a sealed request with values of wrong types", "gone", _sealed(_call({"note_id": [], "text": {}}))),
    (
        "a sealed request with unknown arguments",
        "gone",
        _sealed(b'{"kwargs": {"a": 1}, "key": "poisonous-key-2"}'),
    ),
    ("a sealed request without an argument", "gone", _sealed(b'{"key": "poisonous-key-0003"}')),
    (
        "a sealed request with half a character",
        "dead echo",
        _sealed(_call({"note_id": "poison", "text": "\ud800"})),
    ),
    ("a sealed request with a caller that nobody signed", "gone", _sealed(_call(None, caller=["{}", "00"]))),
    ("a sealed request with a caller whose mac is no hex", "gone", _sealed(_call(None, caller=["{}", "zz"]))),
    ("a sealed request without an end of time", "gone", _sealed(_call({"a": 1}), deadline=2**63)),
    ("a request whose reply address is no text", "dead echo", _plain(b"x", reply_to=b"\xff\xfe")),
    (
        "a request whose correlation id is half a character",
        "dead echo",
        _plain(b"x", correlation_id=b"\xed\xa0\x80"),
    ),
    ("a request whose routing key is no text", "dead echo", _copied(b"echo.\xff")),
    ("a request from beyond the end of time", "dead echo", _plain(b"x", timestamp=2**62)),
    (
        "a request with a short integer in its headers",
        "dead echo",
        lambda _: Sent(RawHeaders(b"x", SIGNED_16), ROUTE, CALLS),
    ),
)

SHAPES = tuple(Shape(name, fate, make) for name, fate, make in _SHAPES)
