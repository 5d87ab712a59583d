"""One read that serves everybody who asked before it began: a barrier whose cost is shared under load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from eventlet.event import Event

Value = TypeVar("Value")


class Coalesced(Generic[Value]):
    """`get()` gives what a `read()` found that began after `get` was called. At most one read runs at a time;
    who comes while it runs waits for the next one, together with all the others who came.

    `read` bounds itself by the deadline of whoever happens to run it; what it raises, everybody gets.
    """

    def __init__(self, read: Callable[[], Value]) -> None:
        self._read = read
        self._running = False
        self._next: Event | None = None

    def get(self) -> Value:
        if self._next is not None:  # not begun yet, whether or not another one is running
            found: Value = self._next.wait()
            return found
        return self._lead_next() if self._running else self._lead(Event())

    def _lead_next(self) -> Value:
        """The first to wait runs the next read, as soon as the present one has ended."""
        self._next = mine = Event()
        self._ended.wait()
        self._next = None
        return self._lead(mine)

    def _lead(self, mine: Event) -> Value:
        self._running, self._ended = True, Event()
        try:
            value = self._read()
        except BaseException as problem:
            self._finish()
            mine.send_exception(problem)
            raise
        self._finish()
        mine.send(value)
        return value

    def _finish(self) -> None:
        self._running = False
        self._ended.send(None)
