"""Whether anything is missing of what the publishers numbered.

Every process that records counts its records from 1. What it was never told to be safe it tells as doubtful;
any other number that does not arrive was confirmed by the broker, and lost by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SILENCE = timedelta(minutes=3)
"""How long a process that has not ended may say nothing: it says how far it is every half minute."""
GRACE = timedelta(seconds=30)
"""How long a number may be missing before it is alarmed: another instance may have it in hand."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers `first` to `last` have not arrived; `since` is when a later one did."""

    first: int
    last: int
    since: datetime

    def without(self, first: int, last: int) -> list[Gap]:
        """What is left of it when the numbers from `first` to `last` are accounted for."""
        if last < self.first or first > self.last:
            return [self]
        left = []
        if self.first < first:
            left.append(replace(self, last=first - 1))
        if self.last > last:
            left.append(replace(self, first=last + 1))
        return left


@dataclass(frozen=True, slots=True)
class Count:
    """How far a publisher has counted, and what is missing below."""

    last: int = 0
    missing: tuple[Gap, ...] = ()

    def arrived(self, number: int, doubtful: Iterable[tuple[int, int]], now: datetime) -> Count:
        """The count once the record with this number is in the log."""
        missing, last = list(self.missing), self.last
        if number > last + 1:
            missing.append(Gap(last + 1, number - 1, now))
        accounted = [(number, number), *doubtful] if missing else ()
        for first, end in accounted:
            missing = [left for gap in missing for left in gap.without(first, end)]
        return Count(max(last, number), tuple(missing))

    def announced(self, last: int, doubtful: Iterable[tuple[int, int]], now: datetime) -> Count:
        """The count once the publisher has said how far it is, without a record."""
        missing = list(self.missing)
        if last > self.last:
            missing.append(Gap(self.last + 1, last, now))
        for first, end in doubtful:
            missing = [left for gap in missing for left in gap.without(first, end)]
        return Count(max(last, self.last), tuple(missing))

    def overdue(self, now: datetime) -> tuple[Gap, ...]:
        """Gaps that have been open for too long."""
        return tuple(gap for gap in self.missing if gap.since <= now - GRACE)
