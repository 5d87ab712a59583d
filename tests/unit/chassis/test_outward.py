"""Pushing to receivers that misbehave. Sockets of this machine; nothing leaves it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from services.chassis import outward
from services.chassis.addresses import Target, target_of
from services.chassis.outward import Connection, NotReached

pytestmark = pytest.mark.timeout(20)


@contextmanager
def receiver(answer: Callable[[socket.socket, bytes], None]) -> Iterator[tuple[Target, list[bytes]]]:
    """A port that reads one request and gives `answer` the connection."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as client:
                text = client.recv(65536)
                while b"\r\n\r\n" not in text or not text.endswith(b"}"):
                    text += client.recv(65536)
                seen.append(text)
                answer(client, text)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield target_of(f"http://127.0.0.1:{server.getsockname()[1]}/hook?a=b", demo=True), seen
        thread.join(10)


def post(target: Target) -> int:
    with Connection.open(target, lambda host, port: []) as opened:
        return opened.post(b'{"a":1}', {"webhook-id": "x"})


def says(text: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda client, _request: client.sendall(text)


def test_the_request_is_one_post_with_the_body_and_no_more() -> None:
    with receiver(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as (target, seen):
        assert post(target) == 204
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{target.port}".encode() in head
    assert body == b'{"a":1}'


def test_a_redirect_is_an_answer_like_any_other() -> None:
    with receiver(says(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n")) as (target, _):
        assert post(target) == 302


def test_an_endless_body_ends() -> None:
    def pour(client: socket.socket, _request: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):  # until it is cut off
            while True:
                client.sendall(b"x" * 65536)

    with receiver(pour) as (target, _):
        assert post(target) == 200


def test_an_answer_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "PATIENCE", 0.5)
    stop = threading.Event()

    def drip(client: socket.socket, _request: bytes) -> None:
        while not stop.wait(0.05):
            try:
                client.sendall(b"H")
            except OSError:
                return

    began = time.monotonic()
    with receiver(drip) as (target, _):
        with pytest.raises(NotReached):
            post(target)
        stop.set()
    assert time.monotonic() - began < 5


def test_silence_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "PATIENCE", 0.3)
    wait = threading.Event()
    with receiver(lambda client, _: wait.wait(5) and None) as (target, _):
        with pytest.raises(NotReached) as failed:
            post(target)
        wait.set()
    assert failed.value.code in {"timeout", "closed"}


def test_garbage_is_a_bad_answer() -> None:
    with receiver(says(b"what?\r\n\r\n")) as (target, _), pytest.raises(NotReached) as failed:
        post(target)
    assert failed.value.code == "bad_answer"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NotReached) as failed:
        post(target_of(f"http://127.0.0.1:{port}/", demo=True))
    assert failed.value.code == "connect"


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["169.254.169.254"]])
def test_a_name_with_any_address_that_is_not_public_is_not_called(found: list[str]) -> None:
    target = target_of("https://rebound.example.org/", demo=True)
    with pytest.raises(NotReached) as failed:
        Connection.open(target, lambda host, port: found)
    assert failed.value.code == "address_not_allowed"


def test_a_name_that_does_not_resolve() -> None:
    def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror

    for resolve in (fails, lambda host, port: []):
        with pytest.raises(NotReached) as failed:
            Connection.open(target_of("https://nowhere.example.org/", demo=False), resolve)
        assert failed.value.code == "dns"


def test_the_address_that_was_judged_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(NotReached):
        Connection.open(target_of("https://hooks.example.org/", demo=False), lambda host, port: ["8.8.8.8"])
    assert called == [("8.8.8.8", 443)]
