"""The calls that wait for a reply: bounded in total and per target, and looked over for those whose time is
up."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.contracts.errors import Busy

Waiter = TypeVar("Waiter")

ATTEMPT_SHARE = 0.42
"""The part of the time left that a first attempt may use: enough is kept for a second one elsewhere."""
ATTEMPT_LEAST = 0.25
ATTEMPTS = 2
PER_TARGET, IN_TOTAL = 256, 1024


def attempt_until(deadline_at: float, attempt: int, now: float) -> float:
    """When the attempt (1, 2, …) is given up: the last one may use all that is left."""
    left = deadline_at - now
    if attempt >= ATTEMPTS or left <= ATTEMPT_LEAST:
        return deadline_at
    return now + max(left * ATTEMPT_SHARE, ATTEMPT_LEAST)


@dataclass(slots=True)
class Attempt(Generic[Waiter]):
    """One request on its way. Its id is the AMQP correlation id."""

    id: str
    target: str
    until: float
    waiter: Waiter


@dataclass(slots=True)
class Pending(Generic[Waiter]):
    """MUST hold every attempt that was published and not yet answered, and nothing else."""

    attempts: dict[str, Attempt[Waiter]] = field(default_factory=dict)
    per_target: Counter[str] = field(default_factory=Counter)

    def add(self, target: str, until: float, waiter: Waiter) -> Attempt[Waiter]:
        """Raises Busy when too many wait already, for this target or in total: a queue is never unbounded."""
        if self.per_target[target] >= PER_TARGET or len(self.attempts) >= IN_TOTAL:
            raise Busy(cause="too many calls outstanding")
        attempt = Attempt(os.urandom(16).hex(), target, until, waiter)
        self.attempts[attempt.id] = attempt
        self.per_target[target] += 1
        return attempt

    def take(self, correlation_id: str) -> Attempt[Waiter] | None:
        """Return and forget the attempt; None for a reply that nobody waits for any more."""
        attempt = self.attempts.pop(correlation_id, None)
        if attempt is not None:
            self.per_target[attempt.target] -= 1
        return attempt

    def overdue(self, now: float | None = None) -> list[Attempt[Waiter]]:
        """Take out every attempt whose time is up."""
        now = time.time() if now is None else now
        late = [attempt for attempt in self.attempts.values() if attempt.until <= now]
        return [attempt for attempt in late if self.take(attempt.id)]

    def all(self) -> list[Attempt[Waiter]]:
        """Take out everything: the connection that the replies would have come on is gone."""
        return [attempt for attempt in list(self.attempts.values()) if self.take(attempt.id)]
