"""The limit on guessing case ids: 300 "not found" about cases in a minute, then 429 for a while.

Counted per principal in this process: with N gateway processes behind one address a principal has up to N
times as many. Ids are random, so the limit is a nuisance to the curious and a line in the log for the
operator, not what keeps cases hidden.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from services.chassis.logs import log
from services.contracts.errors import RateLimited

WINDOW = 60.0
MOST = 300
_MOST_PRINCIPALS = 10_000


class _Named(msgspec.Struct):
    kind: str
    id: str


_read = msgspec.json.Decoder(_Named).decode


class Probing:
    """Counts misses in windows of a minute. Bounded: in a flood of principals the oldest are dropped."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._misses: dict[str, tuple[float, int]] = {}

    def check(self, caller: str) -> None:
        """`caller` is its JSON. Raises RateLimited for one who missed too often."""
        if not self._misses:
            return
        began, count = self._misses.get(_key(caller), (0.0, 0))
        left = began + WINDOW - self._clock()
        if count >= self._most and left > 0:
            raise RateLimited(retry_after=int(left) + 1)

    def missed(self, caller: str) -> None:
        """One more "not found"."""
        key, now = _key(caller), self._clock()
        began, count = self._misses.pop(key, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
        self._misses[key] = (began, count + 1)
        if count + 1 == self._most:
            log.warning("case_ids_probed", count=count + 1)
        if len(self._misses) > _MOST_PRINCIPALS:
            del self._misses[next(iter(self._misses))]


def _key(caller: str) -> str:
    named = _read(caller)
    return f"{named.kind}:{named.id}"
