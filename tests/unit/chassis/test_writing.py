"""What we write is byte for byte what py-amqp would have written."""

from __future__ import annotations

from typing import Any

import amqp
import pytest
from amqp.method_framing import frame_writer
from amqp.serialization import dumps

from services.chassis import writing

BODY = b'{"text": "hello"}'
FEW: list[dict[str, Any]] = [
    {},
    {"delivery_mode": 2},
    {"content_type": "application/cloudevents+json", "delivery_mode": 2, "message_id": "0190"},
    {"content_type": "text/é", "correlation_id": "c" * 32, "expiration": "4000", "delivery_mode": 1},
    {"correlation_id": "c", "reply_to": "rpc.reply-gateway-1", "expiration": "1", "message_id": "m"},
]


class Theirs:
    """py-amqp's writer, its output kept."""

    frame_max = 131072
    bytes_sent = 0

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += bytes(data)

    def frames(self, method: tuple[int, int], arguments: bytes, message: amqp.Message | None = None) -> bytes:
        frame_writer(self, self)(1, 7, method, arguments, message)
        return self.written


@pytest.mark.parametrize("properties", FEW)
@pytest.mark.parametrize("mandatory", [True, False])
def test_a_publish_is_what_py_amqp_writes(properties: dict[str, Any], mandatory: bool) -> None:
    arguments = dumps("Bssbb", (0, "nameko-rpc", "echo.säy", mandatory, False))
    theirs = Theirs().frames((60, 40), arguments, amqp.Message(BODY, **properties))
    assert writing.publish(7, "nameko-rpc", "echo.säy", BODY, properties, mandatory=mandatory) == theirs


def test_an_acknowledgement_is_what_py_amqp_writes() -> None:
    theirs = Theirs().frames((60, 80), dumps("Lb", (2**40, False)))
    assert writing.ack(7, 2**40) == theirs


@pytest.mark.parametrize("properties", [{"application_headers": {"a": 1}}, {"priority": 3}])
def test_other_properties_are_left_to_py_amqp(properties: dict[str, Any]) -> None:
    assert writing.publish(1, "", "queue", BODY, properties, mandatory=False) is None


def test_an_empty_body_is_left_to_py_amqp() -> None:
    assert writing.publish(1, "", "queue", b"", {}, mandatory=False) is None


def test_a_text_too_long_for_its_length_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        writing.publish(1, "", "queue", BODY, {"correlation_id": "c" * 256}, mandatory=False)
