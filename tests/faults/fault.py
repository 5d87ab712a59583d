"""What a fault is: a small object that breaks something and mends it."""

from __future__ import annotations

from typing import Protocol

from tests.faults.stage import Setup, Stage


class Fault(Protocol):
    """After `end` it MUST leave the stage as it was, but for processes that take their time to start.

    `hold` is the seconds from `inject` to `end`; both may take time. A trial breaks and mends `times` times.
    """

    name: str
    setup: Setup
    times: int
    hold: float
    success: float | None
    """The least share of good answers while it lasts; None where no part can stand in for the broken one."""

    def inject(self, stage: Stage) -> None:
        """Break it."""

    def end(self, stage: Stage) -> None:
        """Mend it."""

    def mended(self, stage: Stage) -> bool:
        """Whether the part accepts connections again: from here on the system has to heal by itself."""


class Breakage:
    """The usual answers."""

    name = "unnamed"
    setup = Setup()
    times = 1
    hold = 0.0
    success: float | None = None

    def inject(self, stage: Stage) -> None:
        """Nothing breaks."""

    def end(self, stage: Stage) -> None:
        """It mends by itself."""

    def mended(self, stage: Stage) -> bool:
        return True
