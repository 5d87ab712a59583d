"""The instant until which somebody waits for an answer. It travels with the call and shrinks at each hop."""

from __future__ import annotations

import time

import msgspec

from services.contracts.errors import DeadlineExpired

HOP_MARGIN = 0.1
"""Seconds that a caller keeps for itself, to answer its own caller after a callee used up the rest."""


class Deadline(msgspec.Struct, frozen=True):
    """A wall-clock instant, unix seconds. Machines must be synchronised (NTP) to well under HOP_MARGIN."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.time() + seconds)

    @classmethod
    def from_millis(cls, millis: int) -> Deadline:
        return cls(millis / 1000)

    @property
    def millis(self) -> int:
        return int(self.at * 1000)

    def left(self) -> float:
        """Seconds left; negative once it has passed."""
        return self.at - time.time()

    @property
    def expired(self) -> bool:
        return self.left() <= 0

    def shrunk(self, margin: float = HOP_MARGIN) -> Deadline:
        return Deadline(self.at - margin)

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, time.time() + seconds))

    def check(self) -> None:
        """Raise DeadlineExpired when nobody waits any more."""
        if self.expired:
            raise DeadlineExpired
