"""The proxy passes bytes both ways, and can leave connections half open."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faults.proxy import HOST, Proxy
from tests.waiting import until


class Parrot(socketserver.BaseRequestHandler):
    """Sends back what it hears until the other end closes."""

    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)
        self.server.closed.set()  # type: ignore[attr-defined]


@pytest.fixture
def parrot() -> Iterator[socketserver.ThreadingTCPServer]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        closed = threading.Event()

    with Server((HOST, 0), Parrot) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(parrot: socketserver.ThreadingTCPServer) -> Iterator[Proxy]:
    with closing(Proxy(parrot.server_address[1])) as made:
        yield made


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=5)


def said_back(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    heard = b""
    while len(heard) < len(data):
        heard += client.recv(65536)
    return heard


def test_it_passes_bytes_both_ways(proxy: Proxy) -> None:
    with connect(proxy) as client:
        assert said_back(client, b"hello") == b"hello"
        large = bytes(300_000)
        sender = threading.Thread(target=client.sendall, args=(large,))
        sender.start()
        heard = 0
        while heard < len(large):
            heard += len(client.recv(65536))
        sender.join()


def test_it_passes_on_that_an_end_closed(proxy: Proxy, parrot: socketserver.ThreadingTCPServer) -> None:
    with connect(proxy) as client:
        said_back(client, b"x")
    assert parrot.closed.wait(5)  # type: ignore[attr-defined]


def test_half_open_connections_pass_nothing_and_are_not_closed(proxy: Proxy) -> None:
    with connect(proxy) as old:
        said_back(old, b"before")
        assert proxy.half_open() == 1
        old.sendall(b"into the void")
        old.settimeout(0.2)
        with pytest.raises(TimeoutError):
            old.recv(1)


def test_new_connections_work_while_old_ones_are_half_open(proxy: Proxy) -> None:
    with connect(proxy) as old, connect(proxy) as other:
        said_back(old, b"x")
        said_back(other, b"x")
        assert proxy.half_open() == 2
        with connect(proxy) as new:
            assert said_back(new, b"after") == b"after"


def test_an_end_that_closes_a_half_open_connection_is_alone_with_it(
    proxy: Proxy, parrot: socketserver.ThreadingTCPServer
) -> None:
    with connect(proxy) as client:
        said_back(client, b"x")
        proxy.half_open()
    assert not parrot.closed.wait(0.2)  # type: ignore[attr-defined]


def test_a_cut_closes_both_ends(proxy: Proxy, parrot: socketserver.ThreadingTCPServer) -> None:
    with connect(proxy) as client:
        said_back(client, b"x")
        assert proxy.cut() == 1
        assert client.recv(1) == b""
    until(lambda: not proxy.ends)


def test_nobody_behind_it_is_a_closed_connection(proxy: Proxy) -> None:
    with socket.create_server((HOST, 0)) as nobody:
        proxy.target = nobody.getsockname()[1]
    with connect(proxy) as client:
        assert client.recv(1) == b""


def test_closed_it_listens_no_more(proxy: Proxy) -> None:
    proxy.close()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
