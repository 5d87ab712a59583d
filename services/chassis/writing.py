"""The frames of a publish and of an acknowledgement (AMQP 0-9-1, 2.3.5), made in one go.

py-amqp makes them with general serialisers that cost four times as much; all other frames are still its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from struct import Struct
from typing import Any

END = b"\xce"
FRAME_OVERHEAD = 8
_FRAME = Struct(">BHI")
_CONTENT = Struct(">BHIHHQH")
_ACK = Struct(">BHIHHQBB")

# Basic properties (2.3.5.2) in the order of their flags: name, flag.
_CONTENT_TYPE, _DELIVERY_MODE = 0x8000, 0x1000
_TEXTS = (("correlation_id", 0x0400), ("reply_to", 0x0200), ("expiration", 0x0100), ("message_id", 0x0080))
_KNOWN = frozenset(("content_type", "delivery_mode", *(name for name, _ in _TEXTS)))


def publish(
    channel: int,
    exchange: str,
    routing_key: str,
    body: bytes,
    properties: Mapping[str, Any],
    *,
    mandatory: bool,
) -> bytes | None:
    """The three frames; None when a property is not one of the few that calls and events have."""
    if not properties.keys() <= _KNOWN or not body:
        return None
    flags, values = 0, b""
    if (kind := properties.get("content_type")) is not None:
        flags, values = _CONTENT_TYPE, _text(kind)
    if (mode := properties.get("delivery_mode")) is not None:
        flags |= _DELIVERY_MODE
        values += bytes((mode,))
    for name, flag in _TEXTS:
        value = properties.get(name)
        if value is not None:
            flags |= flag
            values += _text(value)
    size = len(body)
    return b"".join(
        (
            _method(channel, exchange, routing_key, mandatory),
            _CONTENT.pack(2, channel, 14 + len(values), 60, 0, size, flags),
            values,
            END,
            _FRAME.pack(3, channel, size),
            body,
            END,
        )
    )


def ack(channel: int, delivery_tag: int) -> bytes:
    return _ACK.pack(1, channel, 13, 60, 80, delivery_tag, 0, 0xCE)


@lru_cache(maxsize=1024)
def _method(channel: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:
    arguments = b"\0\x3c\0\x28\0\0" + _text(exchange) + _text(routing_key) + bytes((mandatory,))
    return _FRAME.pack(1, channel, len(arguments)) + arguments + END


def _text(value: str) -> bytes:
    """A short string. Raises ValueError for one that is longer than 255 bytes."""
    raw = value.encode("utf-8", "surrogatepass")
    return bytes((len(raw),)) + raw
