"""Run in a patched process by test_reading.py."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import eventlet

from services.chassis.reading import read_until_lost
from services.chassis.turns import TURN


class ByteFrames:
    """Stands for a connection whose frames are single bytes."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        ours.settimeout(0)
        self.wire = SimpleNamespace(sock=ours)
        self.read: list[str] = []

    def read_one(self) -> None:
        byte = self.wire.sock.recv(1)
        if not byte:
            raise ConnectionResetError
        self.read.append(byte.decode())


def _read_until_lost(connection: Any) -> str:
    try:
        read_until_lost(connection)
    except Exception as problem:
        return type(problem).__name__
    return "ended"


def what_arrives() -> dict[str, Any]:
    """Frames come in pieces, and the last is what came before the connection was lost."""
    connection = ByteFrames()
    reading = eventlet.spawn(_read_until_lost, connection)
    for piece in (b"ab", b"c"):
        connection.peer.send(piece)
        eventlet.sleep(0.01)
    connection.peer.sendall(b"d")
    connection.peer.close()
    return {"ended": reading.wait(), "read": "".join(connection.read)}


def a_flood() -> list[int]:
    """How many frames were read each time that another greenlet got its turn."""
    connection = ByteFrames()
    reading = eventlet.spawn(_read_until_lost, connection)
    connection.peer.sendall(b"x" * 3 * TURN)
    connection.peer.close()
    seen = []
    while not reading.dead:
        eventlet.sleep(0)
        seen.append(len(connection.read))
    return seen


def cut_by_another() -> str:
    """A heartbeat that is missed shuts the socket down under its reader."""
    connection = ByteFrames()
    reading = eventlet.spawn(_read_until_lost, connection)
    eventlet.sleep(0.01)
    connection.wire.sock.shutdown(socket.SHUT_RDWR)
    return str(reading.wait())


def killed() -> int:
    """Nothing is read for a reader that was killed."""
    connection = ByteFrames()
    reading = eventlet.spawn(_read_until_lost, connection)
    eventlet.sleep(0.01)
    reading.kill()
    connection.peer.send(b"x")
    eventlet.sleep(0.02)
    return len(connection.read)
