"""When a push that failed is made again: exponential back-off with jitter, for so long and no longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

JITTER = 0.2
"""A wait is up to this share longer or shorter: a receiver that comes back is not met by all at once."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds: the first wait, its growth, the longest wait, and all of it."""

    first: float = 5.0
    factor: float = 3.0
    longest: float = 8 * 3600.0
    give_up: float = 72 * 3600.0

    def wait(self, failures: int, chance: float) -> float:
        """Seconds to wait after so many failures (from 1); `chance` is a random number in [0, 1)."""
        # The power would overflow long before the cap is left again.
        steady = min(self.first * self.factor ** min(failures - 1, 40), self.longest)
        return steady * (1 + JITTER * (2 * chance - 1))

    def next_at(self, failures: int, since: datetime, now: datetime, chance: float) -> datetime | None:
        """When to try again; None when that would be later than `give_up` after `since`, the first try."""
        due = now + timedelta(seconds=self.wait(failures, chance))
        return due if due - since <= timedelta(seconds=self.give_up) else None
