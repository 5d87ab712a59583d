"""Processes that stand still: their sockets take connections and bytes, and nobody is there."""

from __future__ import annotations

import signal
from contextlib import suppress

from tests.faults.fault import Breakage
from tests.faults.stage import Setup, Stage


class Freeze(Breakage):
    """SIGSTOP for a while."""

    def __init__(
        self,
        *names: str,
        hold: float,
        name: str = "",
        instances: int = 1,
        success: float | None = None,
        times: int = 1,
    ) -> None:
        self.name = name or f"SIGSTOP {' and '.join(names)} {hold:.0f} s"
        self.hold, self._names, self.times = hold, names, times
        self.setup, self.success = Setup(instances=instances), success

    def inject(self, stage: Stage) -> None:
        for name in self._names:
            stage.signal(name, signal.SIGSTOP)

    def end(self, stage: Stage) -> None:
        for name in self._names:
            with suppress(LookupError, ProcessLookupError):  # it may have been ended meanwhile
                stage.signal(name, signal.SIGCONT)

    def mended(self, stage: Stage) -> bool:
        return all(stage.accepts(name) for name in self._names)
