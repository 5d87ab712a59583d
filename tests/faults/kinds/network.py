"""Connections on which nothing arrives any more, and a broker that has no room."""

from __future__ import annotations

from tests.faults.fault import Breakage
from tests.faults.stage import Setup, Stage, wait_for


class HalfOpen(Breakage):
    """The present connections to `kind` pass nothing and are not closed; new ones work."""

    setup = Setup(proxied=True)

    def __init__(self, kind: str, hold: float) -> None:
        self.name, self.hold, self._kind = f"half-open TCP to the {kind}", hold, kind

    def inject(self, stage: Stage) -> None:
        for name in stage.names(self._kind):
            stage.proxies[name].half_open()


class DiskAlarm(Breakage):
    """The broker stops reading from every connection that publishes."""

    def __init__(self, hold: float) -> None:
        self.name, self.hold = "disk alarm", hold

    def inject(self, stage: Stage) -> None:
        stage.rabbitmqctl("set_disk_free_limit", "100000GB")
        wait_for(lambda: stage.api().alarms(), 15)

    def end(self, stage: Stage) -> None:
        stage.rabbitmqctl("set_disk_free_limit", "50MB")

    def mended(self, stage: Stage) -> bool:
        return not stage.api().alarms()
