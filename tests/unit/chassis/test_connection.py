"""A connection that is cut, released and published on, without a broker."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

import amqp
import pytest
from amqp.exceptions import RecoverableConnectionError

from services.chassis import wire, writing
from services.chassis.wire import Connection
from services.contracts.errors import LinkDown
from tests.unit.chassis.socket_pair import Line


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


@pytest.fixture
def connection(line: Line) -> Connection:
    connection = Connection(host="broker.invalid:5672")
    connection._transport = line.transport
    connection.channels = {}
    connection.on_inbound_frame = connection.frame_handler_cls(connection, lambda *_: None)
    return connection


# ---------------------------------------------------------------- the connection


def test_a_cut_ends_the_reading_and_leaves_the_socket_to_the_reader(
    line: Line, connection: Connection
) -> None:
    """Closed under a greenlet that waits for it, that one would never wake."""
    number = line.transport.sock.fileno()
    for _ in range(3):
        connection.cut()
        assert line.transport.sock.fileno() == number
        with pytest.raises(ConnectionResetError):
            connection.read_one()
    assert line.broker.recv(1) == b""


def test_releasing_is_harmless_when_repeated_and_never_dials_anew(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled: list[str] = []
    monkeypatch.setattr(Connection, "connect", lambda *_, **__: dialled.append("connect"))
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: dialled.append("socket"))
    for _ in range(3):
        connection.release()
        connection.cut()
        assert not connection.full
        assert connection.unsent == 0
        assert connection.silent_for() == float("inf")
        for use in (lambda: connection.wire, lambda: connection.transport, connection.read_one):
            with pytest.raises(RecoverableConnectionError):
                use()
    assert dialled == []


def test_releasing_closes_the_socket(line: Line, connection: Connection) -> None:
    number = line.transport.sock.fileno()
    connection.release()
    with pytest.raises(OSError, match=str(errno.EBADF)):
        socket.socket(fileno=number).getpeername()
    assert line.broker.recv(1) == b""


def test_a_connection_that_was_cut_by_the_other_end_can_be_released(
    line: Line, connection: Connection
) -> None:
    line.broker.close()
    connection.cut()
    connection.release()


# ---------------------------------------------------------------- publishing


class _Channel:
    """What publishing needs of a channel; keeps what py-amqp would have written itself."""

    channel_id = 3

    def __init__(self, connection: Connection | None) -> None:
        self.connection = connection
        self.theirs: list[tuple[Any, ...]] = []

    def send_method(self, *method: Any) -> None:
        self.theirs.append(method)


def _publish(channel: _Channel, body: bytes, **properties: Any) -> None:
    wire.publish(channel, "nameko-rpc", "echo.say", body, properties, mandatory=True)


def test_a_publish_is_its_three_frames(line: Line, connection: Connection) -> None:
    channel = _Channel(connection)
    _publish(channel, b"{}", correlation_id="c")
    line.loop.turn()
    expected = writing.publish(3, "nameko-rpc", "echo.say", b"{}", {"correlation_id": "c"}, mandatory=True)
    assert line.heard() == expected
    assert channel.theirs == []


@pytest.mark.parametrize(("body", "properties"), [(b"{}", {"priority": 1}), (b"x" * 200_000, {}), (b"", {})])
def test_what_is_unusual_is_left_to_py_amqp(
    connection: Connection, body: bytes, properties: dict[str, Any]
) -> None:
    channel = _Channel(connection)
    _publish(channel, body, **properties)
    (method,) = channel.theirs
    assert method[:3] == ((60, 40), "Bssbb", (0, "nameko-rpc", "echo.say", True, False))
    assert method[3].body == body


def test_publishing_on_a_released_connection_is_a_link_that_is_down() -> None:
    with pytest.raises(LinkDown):
        _publish(_Channel(None), b"{}")


def test_acknowledging_on_a_released_connection_does_nothing(line: Line, connection: Connection) -> None:
    message = amqp.Message(b"", channel=_Channel(connection))
    message.delivery_info = {"delivery_tag": 5}
    wire.acknowledge(message)
    line.loop.turn()
    assert line.heard() == writing.ack(3, 5)
    message.channel.connection = None
    wire.acknowledge(message)
    assert line.transport.unsent == 0


def test_returned_messages_are_told_by_their_correlation_id() -> None:
    returned: list[str] = []
    channel = amqp.Channel.__new__(amqp.Channel)
    channel.events = {"basic_return": set()}
    wire.watch_returns(channel, returned.append)
    (on_return,) = channel.events["basic_return"]
    for properties in ({"correlation_id": "c0ffee"}, {}):
        on_return(Exception(), "nameko-rpc", "echo.say", amqp.Message(b"", **properties))
    assert returned == ["c0ffee", ""]
