"""Who has seen what, written down now and then: for "unread" alone."""

from __future__ import annotations

from services.cases.handlers.casework import Casework
from services.chassis.timers import every

EVERY = 0.25


class SeenMarks(Casework):
    @every(EVERY)
    def write_seen(self) -> None:
        """Harmless when done twice: each process writes its own."""
        self.reads.flush()
