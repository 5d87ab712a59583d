"""Reading a connection from eventlet's hub itself.

A greenlet that waits for its socket costs two system calls and two switches each time something arrives. The
hub keeps watching this one, and calls when there is something to read.
"""

from __future__ import annotations

from collections.abc import Callable

from eventlet.event import Event
from eventlet.hubs import get_hub

from services.chassis.turns import Turns
from services.chassis.wire import Connection


def read_until_lost(connection: Connection) -> None:
    """Wait in this greenlet while frames are handled where nothing may wait. Raises what ends it.

    `connection` MUST be asynchronous already.
    """
    hub, lost = get_hub(), Event()

    def schedule(work: Callable[[], None]) -> None:
        hub.schedule_call_global(0, work)

    turns = Turns(connection, schedule, lost.send_exception)
    listener = hub.add(hub.READ, connection.wire.sock.fileno(), turns.readable, lost.send_exception, _closed)
    turns.begin()
    try:
        lost.wait()
    finally:
        turns.end()
        hub.remove(listener)


def _closed() -> None:
    """Nobody closes the socket of a connection that is read: it is cut, and reading it says so."""
