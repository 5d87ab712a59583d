"""Processes that end without a word, and are started again or not."""

from __future__ import annotations

import os
import signal

from tests.faults.fault import Breakage
from tests.faults.stage import Setup, Stage, pause

GATEWAY_WORKER = "gateway worker"


class Kill(Breakage):
    """kill -9; the supervisor starts the process again. Each time the next of `names`."""

    def __init__(self, *names: str, times: int, name: str = "") -> None:
        self.name = name or f"kill -9 {' and '.join(names)}"
        self.times, self._names = times, names
        self._done = 0
        self._before = 0

    def inject(self, stage: Stage) -> None:
        self._victim = self._names[self._done % len(self._names)]
        self._done += 1
        self._before = self._pid(stage)
        if not self._before:  # and kill(0) would be the harness itself
            raise LookupError(f"{self._victim} is not there to be killed")
        if self._victim == GATEWAY_WORKER:
            stage.planned_exits += 1
            os.kill(self._before, signal.SIGKILL)
        else:
            stage.kill(self._victim)

    def mended(self, stage: Stage) -> bool:
        process = "gateway-1" if self._victim == GATEWAY_WORKER else self._victim
        return self._pid(stage) not in {0, self._before} and stage.accepts(process)

    def _pid(self, stage: Stage) -> int:
        return stage.gateway_worker() if self._victim == GATEWAY_WORKER else stage.pid(self._victim)


class OneOfTwoDead(Breakage):
    """One of two instances of each service is gone for a while."""

    success = 0.99
    setup = Setup(instances=2)

    def __init__(self, hold: float) -> None:
        self.name, self.hold = "one of two instances dead", hold
        self._names = ("echo-1", "mirror-1")

    def inject(self, stage: Stage) -> None:
        for name in self._names:
            stage.kill_for_good(name)

    def end(self, stage: Stage) -> None:
        for name in self._names:
            stage.revive(name)

    def mended(self, stage: Stage) -> bool:
        return all(stage.accepts(name) for name in self._names)


class BrokerDiesHoldingEvents(Breakage):
    """Commits pile up behind a frozen database; their events go to a frozen broker, which then dies.

    What was only written to its socket is lost. An outbox and confirms are there for this.
    """

    name = "broker dies with events in its socket"

    def __init__(self, times: int = 1) -> None:
        self.times = times

    def inject(self, stage: Stage) -> None:
        self._before = stage.pid("rabbit")
        stage.signal("mongo", signal.SIGSTOP)
        pause(0.7)
        stage.signal("rabbit", signal.SIGSTOP)
        stage.signal("mongo", signal.SIGCONT)
        pause(1.0)
        stage.kill("rabbit")

    def mended(self, stage: Stage) -> bool:
        return stage.pid("rabbit") != self._before and stage.accepts("rabbit")
