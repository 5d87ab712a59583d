"""When an event is tried again, and when no more. Pure: headers in, a plan out.

A delivery that cannot be finished goes to one of a few queues with a time to live, from which the broker puts
it back. Only failures of the handler count; waiting for a database or another service does not.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

TIERS_MS = (250, 1000, 4000, 16000, 60000)
"""The retry queues, by the most milliseconds that a message stays in each. `topology.py` declares them."""

MOST_ATTEMPTS = 8
"""With the tiers above a failing event is dead-lettered after about three minutes."""

ATTEMPTS, FIRST_AT = "x-attempts", "x-first-at"
REASON, QUEUE, SHA256, SIZE = "x-reason", "x-queue", "x-sha256", "x-size"
"""Of a dead letter: why and from which queue; of a body that is not kept: its hash and how long it was."""
REPLAYED = "x-replayed"
"""Of a message that an operator has put back: it may come a second time."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What an event has been through at one consumer, carried in its message's headers."""

    first_at_ms: int
    """When it was first seen, unix milliseconds."""
    attempts: int = 0
    """Failures of the handler."""

    @classmethod
    def read(cls, headers: object, now: float) -> Trail:
        """Read a message's headers. Anybody may have written them: what makes no sense counts as absent."""
        known = headers if isinstance(headers, Mapping) else {}
        return cls(
            _count(known.get(FIRST_AT), int(now * 1000)) or int(now * 1000),
            _count(known.get(ATTEMPTS), MOST_ATTEMPTS),
        )

    def failed(self) -> Trail:
        return replace(self, attempts=self.attempts + 1)

    @property
    def exhausted(self) -> bool:
        return self.attempts >= MOST_ATTEMPTS

    def headers(self) -> dict[str, Any]:
        return {ATTEMPTS: self.attempts, FIRST_AT: self.first_at_ms}


def tier_after_failure(attempts: int) -> int:
    """The tier, in milliseconds, after this many failures (1, 2, …): it grows exponentially."""
    return TIERS_MS[min(max(attempts, 1), len(TIERS_MS)) - 1]


def jittered(tier: int, chance: float | None = None) -> int:
    """Milliseconds to stay in a tier, half to all of it: what failed together does not return together."""
    return int(tier * (0.5 + 0.5 * (random.random() if chance is None else chance)))  # noqa: S311 - no secret


def _count(found: object, most: int) -> int:
    return found if type(found) is int and 0 <= found <= most else 0
