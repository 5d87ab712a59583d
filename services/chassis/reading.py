"""Reading a connection from eventlet's hub itself.

A greenlet that waits for its socket costs two system calls and two switches each time something arrives. The
hub keeps watching this one, and calls when there is something to read.
"""

from __future__ import annotations

from eventlet.event import Event
from eventlet.hubs import get_hub

from services.chassis.wire import TURN, Connection


class Reader:
    """Reads one connection that is already asynchronous. Frames are handled where nothing may wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._hub = connection, get_hub()
        self._lost = Event()

    def until_lost(self) -> None:
        """Wait in this greenlet while frames are handled; raise what ended the connection."""
        fd = self._connection.wire.sock.fileno()
        listener = self._hub.add(self._hub.READ, fd, self._readable, self._lost.send_exception, _closed)
        self._hub.schedule_call_global(0, self._readable)  # what came with the last answer is in our buffer
        try:
            self._lost.wait()
        finally:
            self._hub.remove(listener)

    def _readable(self, _fd: object = None) -> None:
        if self._lost.ready():
            return
        try:
            for _ in range(TURN):
                self._connection.read_one()
        except BlockingIOError:
            return
        except Exception as problem:
            self._lost.send_exception(problem)
        else:  # whoever sends without end must not keep the rest from running
            self._hub.schedule_call_global(0, self._readable)


def _closed() -> None:
    """Nobody closes the socket of a connection that is read: it is cut, and reading it says so."""
