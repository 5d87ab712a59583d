"""Whatever a peer publishes arrives as a message that can be refused, and the connection lives on."""

from __future__ import annotations

from struct import pack
from types import SimpleNamespace
from typing import Any

import amqp
import pytest
from amqp.exceptions import UnexpectedFrame
from amqp.serialization import dumps
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import frames
from services.chassis.frames import BODY_MOST, DELIVER, GET_OK, RETURN, frame_handler

Frame = tuple[int, int, bytes]
PROPERTIES: dict[str, Any] = {
    "content_type": "application/json",
    "correlation_id": "c0ffee",
    "reply_to": "rpc.reply-gateway-1",
    "application_headers": {"x-attempts": 3, "nested": {"a": [1, "b"]}},
    "delivery_mode": 2,
}
HEADERS_FLAG, CORRELATION_FLAG = 0x2000, 0x0400


class _Consumer:
    """A channel of py-amqp's with one consumer, and what reached it."""

    def __init__(self) -> None:
        self.messages: list[amqp.Message] = []
        self.methods: list[tuple[int, tuple[int, int], amqp.Message | None]] = []
        self.connection = SimpleNamespace(bytes_recv=0, channels={n: self._channel() for n in (1, 2)})
        self._on_frame = frame_handler(self.connection, self._on_method)

    def _channel(self) -> amqp.Channel:
        channel = amqp.Channel.__new__(amqp.Channel)
        channel.callbacks = {"tag": self.messages.append}
        return channel

    def _on_method(self, channel: int, method: Any, _arguments: bytes, message: amqp.Message | None) -> None:
        self.methods.append((channel, method, message))

    def take(self, *some: Frame) -> list[bool]:
        return [self._on_frame(frame) for frame in some]

    def still_works(self) -> bool:
        before = len(self.messages)
        self.take(*_delivered(b"hello"))
        return len(self.messages) == before + 1 and self.messages[-1].body == b"hello"


@pytest.fixture
def consumer() -> _Consumer:
    return _Consumer()


def _deliver(channel: int = 1, routing_key: bytes = b"echo.say", exchange: bytes = b"nameko-rpc") -> Frame:
    texts = b"".join(bytes((len(text),)) + text for text in (exchange, routing_key))
    return 1, channel, pack(">HH", *DELIVER) + b"\x03tag" + pack(">QB", 7, 1) + texts


def _header(size: int, flags: int = 0, values: bytes = b"", channel: int = 1) -> Frame:
    return 2, channel, pack(">HHQH", 60, 0, size, flags) + values


def _header_of(size: int, properties: dict[str, Any], channel: int = 1) -> Frame:
    return 2, channel, pack(">HHQ", 60, 0, size) + amqp.Message(b"", **properties)._serialize_properties()


def _delivered(body: bytes, header: Frame | None = None, channel: int = 1) -> list[Frame]:
    pieces = [body[start : start + 100_000] for start in range(0, len(body), 100_000)]
    header = header or _header_of(len(body), PROPERTIES, channel)
    return [_deliver(channel), header, *((3, channel, piece) for piece in pieces)]


@pytest.mark.parametrize("body", [b"{}", b"", bytes(range(256)) * 2000])
def test_a_delivery_arrives_as_it_was_published(consumer: _Consumer, body: bytes) -> None:
    found = consumer.take(*_delivered(body))
    (message,) = consumer.messages
    assert found == [False] * (len(found) - 1) + [True]
    assert (message.body, message.properties, message.oversize) == (body, PROPERTIES, False)
    assert message.delivery_info == {
        "consumer_tag": "tag",
        "delivery_tag": 7,
        "redelivered": True,
        "exchange": "nameko-rpc",
        "routing_key": "echo.say",
    }
    assert message.channel is consumer.connection.channels[1]


def test_deliveries_on_two_channels_do_not_mix(consumer: _Consumer) -> None:
    one, two = _delivered(b"1" * 150_000), _delivered(b"2" * 150_000, channel=2)
    consumer.take(*(frame for pair in zip(one, two, strict=True) for frame in pair))
    assert [message.body[:1] for message in consumer.messages] == [b"1", b"2"]


def test_a_heartbeat_may_come_between_any_two_frames(consumer: _Consumer) -> None:
    for frame in _delivered(b"x" * 150_000):
        assert consumer.take((8, 0, b""), frame)[0] is False
    assert len(consumer.messages) == 1


def test_other_methods_go_to_py_amqp(consumer: _Consumer) -> None:
    assert consumer.take((1, 0, pack(">HH", 10, 60) + b"\0")) == [True]
    assert consumer.methods == [(0, (10, 60), None)]


@pytest.mark.parametrize("method", [RETURN, GET_OK])
def test_other_methods_with_content_go_to_py_amqp_when_complete(
    consumer: _Consumer, method: tuple[int, int]
) -> None:
    start = (1, 1, pack(">HH", *method) + b"\0")
    assert consumer.take(start, _header_of(2, PROPERTIES), (3, 1, b"{}")) == [False, False, True]
    ((channel, found, message),) = consumer.methods
    assert (channel, found) == (1, method)
    assert message is not None
    assert message.properties["correlation_id"] == "c0ffee"


def _table(raw: bytes) -> bytes:
    return pack(">I", len(raw)) + raw


def _nested(depth: int) -> bytes:
    """A table in a table in a table …, in the headers."""
    raw = b""
    for _ in range(depth):
        raw = b"\x01aF" + _table(raw)
    return _table(raw)


HOSTILE = {
    "text that is not UTF-8": (CORRELATION_FLAG, b"\x02\xff\xfe"),
    "text that ends too early": (CORRELATION_FLAG, b"\xffabc"),
    "no text at all": (CORRELATION_FLAG, b""),
    "header name that is not UTF-8": (HEADERS_FLAG, _table(b"\x02\xff\xfet\x01")),
    "header value that is not UTF-8": (HEADERS_FLAG, _table(b"\x01aS\0\0\0\x02\xff\xfe")),
    "header of an unknown type": (HEADERS_FLAG, _table(b"\x01a\x07\x00")),
    "header longer than its table": (HEADERS_FLAG, _table(b"\x01aS\xff\xff\xff\xff")),
    "table longer than its frame": (HEADERS_FLAG, b"\xff\xff\xff\xff"),
    "time beyond all calendars": (HEADERS_FLAG, _table(b"\x01aT" + b"\x7f" + b"\xff" * 7)),
    "tables nested without end": (HEADERS_FLAG, _nested(10_000)),
    "arrays nested without end": (HEADERS_FLAG, _table(b"\x01a" + b"A\0\0\x10\0" * 10_000)),
    "every flag and nothing behind": (0xFFFE, b""),
    "flags that go on": (0xFFFF, b"\xff\xff" * 5),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("body", [b"{}", b""])
def test_properties_that_cannot_be_decoded_arrive_as_none(
    consumer: _Consumer, name: str, body: bytes
) -> None:
    flags, values = HOSTILE[name]
    consumer.take(*_delivered(body, _header(len(body), flags, values)))
    (message,) = consumer.messages
    assert message.body == body
    assert message.properties.get("reply_to") is None
    assert consumer.still_works()


@given(st.integers(0, 0xFFFF), st.binary(max_size=60), st.booleans())
def test_any_properties_leave_the_connection_working(flags: int, values: bytes, body: bool) -> None:
    consumer = _Consumer()
    text = b"{}" if body else b""
    consumer.take(*_delivered(text, _header(len(text), flags, values)))
    assert [message.body for message in consumer.messages] == [text]
    assert consumer.still_works()


@pytest.mark.parametrize("routing_key", [b"\xff\xfe", b"echo.\xed\xa0\x80", b"", b"x" * 255])
def test_any_routing_key_arrives_as_text(consumer: _Consumer, routing_key: bytes) -> None:
    consumer.take(_deliver(routing_key=routing_key), _header(0))
    (message,) = consumer.messages
    assert message.delivery_info["routing_key"] == routing_key.decode("utf-8", "replace")
    message.delivery_info["routing_key"].encode()
    assert consumer.still_works()


def test_a_body_that_is_too_large_is_not_collected(
    consumer: _Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "BODY_MOST", 1000)
    consumer.take(_deliver(), _header_of(1001, PROPERTIES), (3, 1, b"x" * 1000))
    assert consumer.messages == []
    assert consumer.take((3, 1, b"x")) == [True]
    (message,) = consumer.messages
    assert (message.oversize, message.body) == (True, b"")
    assert message.properties == PROPERTIES
    assert consumer.still_works()


def test_the_largest_body_that_is_kept_is_complete(consumer: _Consumer) -> None:
    consumer.take(*_delivered(b"x" * BODY_MOST))
    (message,) = consumer.messages
    assert (message.oversize, len(message.body)) == (False, BODY_MOST)


def test_a_large_body_whose_properties_cannot_be_decoded_is_both(
    consumer: _Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "BODY_MOST", 10)
    consumer.take(_deliver(), _header(11, CORRELATION_FLAG, b"\x01\xff"), (3, 1, b"x" * 11))
    (message,) = consumer.messages
    assert (message.oversize, message.properties, message.body) == (True, {}, b"")
    assert consumer.still_works()


@pytest.mark.parametrize(
    "some",
    [
        [(2, 1, b"")],
        [(3, 1, b"body")],
        [(7, 1, b"")],
        [_deliver(), _deliver()],
        [_deliver(), (3, 1, b"body")],
        [_deliver(), _header(4), _header(4)],
        [_deliver(), _header(4), (1, 1, dumps("B", (1,)))],
    ],
)
def test_frames_in_an_order_that_only_a_broken_broker_sends_are_an_error(
    consumer: _Consumer, some: list[Frame]
) -> None:
    with pytest.raises(UnexpectedFrame):
        consumer.take(*some)
