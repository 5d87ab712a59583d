"""Opening a connection: every step is bounded, and what fails leaves no socket behind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from services.chassis import dial as module
from services.chassis.dial import Attachment, Notices, dial
from services.chassis.wire import Connection


@pytest.fixture
def frozen() -> Iterator[socket.socket]:
    """A broker that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)


def _url(server: socket.socket) -> str:
    return f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("url", ["amqps://broker.invalid", "redis://broker.invalid", "broker.invalid"])
def test_only_plain_amqp_addresses_are_dialled(url: str) -> None:
    with pytest.raises(ValueError, match="amqp"):
        dial(url, 4, "test", [], Notices())


def test_a_frozen_broker_is_not_waited_for_and_its_socket_is_closed(frozen: socket.socket) -> None:
    began = time.monotonic()
    with pytest.raises(OSError, match="timed out"):
        dial(_url(frozen), 4, "test", [], Notices())
    assert time.monotonic() - began < 5
    broker, _ = frozen.accept()
    with broker:
        broker.settimeout(5)
        assert broker.recv(64).startswith(b"AMQP")
        assert broker.recv(64) == b""


def test_a_setup_that_fails_leaves_no_connection(
    frozen: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Connection] = []

    def connect(connection: Connection) -> None:
        made.append(connection)
        transport = connection.Transport("127.0.0.1", 1)
        transport.sock = socket.create_connection(frozen.getsockname())
        connection.transport = transport

    def fail(_: Connection) -> None:
        raise LookupError

    monkeypatch.setattr(Connection, "connect", connect)
    with pytest.raises(LookupError):
        dial(_url(frozen), 4, "test", [Attachment(fail)], Notices())
    assert made[0].silent_for() == float("inf")
    broker, _ = frozen.accept()
    with broker:
        broker.settimeout(5)
        assert broker.recv(64) == b""
