"""Frames put together to messages, so that nothing that a peer publishes breaks its receiver's connection.

py-amqp raises where a message's properties, headers or routing key cannot be decoded. The connection is then
lost, the broker delivers the message again, and one message stops every instance in turn (N5). Here such a
message arrives without properties, and one that is too large without its body: the consumer refuses it like
any other that makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack_from
from typing import Any

import amqp
from amqp.exceptions import UnexpectedFrame

BODY_MOST = 2 * 1024 * 1024
"""Bytes of a body that are kept; a larger one is counted, not collected."""
METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
RETURN, DELIVER, GET_OK = (60, 50), (60, 60), (60, 71)
_WITH_CONTENT = frozenset({RETURN, DELIVER, GET_OK})

Callback = Callable[[int, tuple[int, int], bytes, amqp.Message | None], object]


class Message(amqp.Message):  # type: ignore[misc]
    """A message as it arrived. `oversize`: its body was larger than BODY_MOST and is left empty."""

    oversize = False

    def inbound_header(self, buf: bytes, offset: int = 0) -> int:
        try:
            end: int = super().inbound_header(buf, offset)
        except Exception:  # whatever a peer wrote there: not UTF-8, unknown types, tables nested without end
            self.properties: dict[str, Any] = {}
            end = len(buf)
            self.ready = not self.body_size
        self.oversize = self.body_size > BODY_MOST
        self.body = b""  # py-amqp's is text until a body frame comes, and none comes for an empty body
        return end

    def inbound_body(self, buf: bytes) -> None:
        if not self.oversize:
            super().inbound_body(buf)
            return
        self.body_received += len(buf)
        self.ready = self.body_received >= self.body_size


def frame_handler(
    connection: amqp.Connection, callback: Callback
) -> Callable[[tuple[int, int, bytes]], bool]:
    """The counterpart of py-amqp's: say whether a frame completed a method."""
    unfinished: dict[int, Message] = {}

    def on_frame(frame: tuple[int, int, bytes]) -> bool:
        kind, channel, data = frame
        connection.bytes_recv += 1
        if kind == HEARTBEAT:
            return False
        message = unfinished.get(channel)
        if kind == METHOD and message is None:
            method: tuple[int, int] = unpack_from(">HH", data)
            if method in _WITH_CONTENT:
                unfinished[channel] = Message(frame_method=method, frame_args=data)
                return False
            callback(channel, method, data, None)
            return True
        if message is None or kind != (BODY if message.body_size else HEADER):
            raise UnexpectedFrame(f"frame of type {kind}")
        if kind == HEADER:
            message.inbound_header(data)
        else:
            message.inbound_body(data)
        if not message.ready:
            return False
        del unfinished[channel]
        if message.frame_method == DELIVER:
            _deliver(connection, channel, message)
        else:
            callback(channel, message.frame_method, message.frame_args, message)
        return True

    return on_frame


def _deliver(connection: amqp.Connection, channel_id: int, message: Message) -> None:
    data: bytes = message.frame_args
    consumer_tag, end = _text(data, 4)
    delivery_tag, redelivered = unpack_from(">QB", data, end)
    exchange, end = _text(data, end + 9)
    routing_key, _ = _text(data, end)
    channel: Any = connection.channels[channel_id]
    channel._on_basic_deliver(consumer_tag, delivery_tag, bool(redelivered), exchange, routing_key, message)


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode("utf-8", "replace"), end
