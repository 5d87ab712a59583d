"""One writer at a time to one thing, within a process.

Two transactions on one case document cannot both commit: the second would be run again, for nothing. Those of
other instances still meet in the database, which lets one of them win.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis import context
from services.contracts.errors import Busy

LONGEST = 5.0
"""Seconds to wait for one's turn when no deadline is known."""


class Turns:
    """Locks by name, each there only while somebody wants it."""

    def __init__(self) -> None:
        self._wanted: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Wait for the turn, within the deadline of the call being served. Raises Busy."""
        lock, count = self._wanted.get(name, (threading.Lock(), 0))
        self._wanted[name] = (lock, count + 1)
        try:
            serving = context.current()
            patience = LONGEST if serving is None else max(0.0, serving.deadline.left())
            if not lock.acquire(timeout=patience):
                raise Busy(cause="many writers at one case")
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, count = self._wanted.pop(name)
            if count > 1:
                self._wanted[name] = (lock, count - 1)
