"""What a poison message is made of, and what it is made from."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import amqp

from services.chassis.sealing import Keyring
from services.chassis.topology import dead_queue, event_queue, rpc_queue
from tests.faults.detour import copy_of

REQUEST_QUEUE, EVENT_QUEUE = rpc_queue("echo"), event_queue("echo", "mirror")

Fate = Literal["dead echo", "dead mirror", "gone"]
"""In whose dead-letter queue it must end; "gone": it was answered, or nobody misses it."""

DEAD_QUEUES: dict[Fate, str] = {"dead echo": dead_queue("echo"), "dead mirror": dead_queue("mirror")}

_VALUE_END = b"\0"


@dataclass(frozen=True, slots=True)
class Material:
    """True messages of the trial to spoil, and the keys of an honest, a false and an unknown sender."""

    request: amqp.Message
    """A sealed command, already answered; its deadline has not passed."""
    expired: amqp.Message
    """Another one, whose deadline has."""
    event: amqp.Message
    """An event that took effect some time ago, one of the last few of its note."""
    reply: amqp.Message
    """A sealed reply that was taken long ago."""
    reply_queue: str
    """Where the gateway takes its replies."""
    honest: Keyring
    """The gateway's."""
    false: Keyring
    """One that says "gateway" with another key."""
    unknown: Keyring
    """One that nobody has heard of."""
    deadline: int
    """Unix milliseconds, in a few seconds."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message and where to publish it."""

    message: amqp.Message
    routing_key: Any
    exchange: str = ""


Make = Callable[[Material], Sent]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of poison."""

    name: str
    fate: Fate
    make: Make


def spoilt(message: amqp.Message, body: bytes | None = None, **changed: Any) -> amqp.Message:
    """A copy with another body or other properties; None leaves a property out."""
    copy = copy_of(message, **changed)
    if body is not None:
        copy.body = body
    return copy


def flipped(body: bytes, at: int) -> bytes:
    """One bit is another."""
    changed = bytearray(body)
    changed[at] ^= 1
    return bytes(changed)


class RawHeaders(amqp.Message):  # type: ignore[misc]
    """A message whose properties hold one header that py-amqp itself would not write."""

    def __init__(self, body: bytes, header: bytes) -> None:
        super().__init__(body)
        self._header = header

    def _serialize_properties(self) -> bytes:
        table = b"\x05x-odd" + self._header
        return struct.pack(">HI", 1 << 13, len(table)) + table
