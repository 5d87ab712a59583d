"""How late this very process is: when it did not run, it cannot say when something came."""

from __future__ import annotations

import threading
import time

EVERY = 0.02
LOOKED_BACK = 1.5


class Lag:
    """Sleeps for moments, and notes by how much it slept too long."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float]] = []

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            began = time.monotonic()
            time.sleep(EVERY)
            now = time.monotonic()
            self._found.append((now, now - began - EVERY))
            if len(self._found) > 2000:
                del self._found[:1000]

    def before(self, at: float) -> float:
        """The longest delay around `at`, which must not be long ago."""
        near = [late for when, late in self._found if at - LOOKED_BACK <= when <= at + EVERY * 2]
        return max(near, default=0.0)
