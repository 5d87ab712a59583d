"""How often one principal may do something, in one process: a bucket that fills by itself."""

from __future__ import annotations

from services.contracts.errors import RateLimited

MOST_KEPT = 10_000


class Pace:
    """At most `burst` at once, and `each_second` on average. It forgets whoever has a full bucket."""

    def __init__(self, burst: float, each_second: float) -> None:
        self._burst, self._rate = burst, each_second
        self._left: dict[str, tuple[float, float]] = {}

    def step(self, who: str, now: float) -> None:
        """Count one. `now` in seconds, of a clock that only goes forward. Raises RateLimited."""
        left, then = self._left.get(who, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        if left < 1:
            raise RateLimited(retry_after=max(1, round((1 - left) / self._rate)))
        if len(self._left) >= MOST_KEPT:
            self._forget(now)
        self._left[who] = left - 1, now

    def _forget(self, now: float) -> None:
        self._left = {
            who: (left, then)
            for who, (left, then) in self._left.items()
            if left + (now - then) * self._rate < self._burst
        }
