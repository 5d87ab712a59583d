"""Members of a cluster that lead it, and are lost or paused."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

from pymongo.errors import PyMongoError

from services.chassis.topology import VHOST, event_queue
from tests.faults.fault import Breakage
from tests.faults.stage import Stage, pause, wait_for

QUEUE = event_queue("echo", "mirror")


def primary(stage: Stage, among: list[str] | None = None) -> str:
    """The name of the member that takes writes. Raises LookupError when there is none."""
    for name in among or stage.names("database"):
        try:
            with stage.mongo(name) as client:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return name
        except PyMongoError:
            continue
    raise LookupError("no primary")


def leader(stage: Stage) -> str:
    """The name of the broker node that leads the event queue."""
    found = stage.api().call("GET", f"queues/{VHOST}/{QUEUE}")
    return str(found.get("leader") or found["node"]).partition("@")[0]


class KillPrimary(Breakage):
    """kill -9 of the database's primary."""

    name = "kill -9 the primary"

    def __init__(self, times: int) -> None:
        self.times = times

    def inject(self, stage: Stage) -> None:
        self._victim = primary(stage)
        self._before = stage.pid(self._victim)
        stage.kill(self._victim)

    def mended(self, stage: Stage) -> bool:
        back = stage.pid(self._victim) != self._before and stage.accepts(self._victim)
        return back and bool(primary(stage))


class PausePrimary(Breakage):
    """The primary stands still until another was elected, and wakes up believing that it still is one."""

    name = "primary paused and resumed"

    def __init__(self, hold: float) -> None:
        self.hold = hold

    def inject(self, stage: Stage) -> None:
        self._victim = primary(stage)
        stage.signal(self._victim, signal.SIGSTOP)

    def end(self, stage: Stage) -> None:
        stage.signal(self._victim, signal.SIGCONT)


class KillLeader(Breakage):
    """kill -9 of the broker node that leads the event queue."""

    name = "kill -9 the event queue's leader"

    def __init__(self, times: int) -> None:
        self.times = times

    def inject(self, stage: Stage) -> None:
        self._victim = leader(stage)
        self._before = stage.pid(self._victim)
        stage.kill(self._victim)

    def mended(self, stage: Stage) -> bool:
        return stage.pid(self._victim) != self._before and stage.accepts(self._victim)


class FreezeLeader(Breakage):
    """The broker node that leads the event queue stands still, and wakes up when the others went on."""

    def __init__(self, hold: float) -> None:
        self.name, self.hold = f"SIGSTOP the event queue's leader {hold:.0f} s", hold

    def inject(self, stage: Stage) -> None:
        self._victim = leader(stage)
        stage.signal(self._victim, signal.SIGSTOP)

    def end(self, stage: Stage) -> None:
        stage.signal(self._victim, signal.SIGCONT)


class PrimaryDiesUnreplicated(Breakage):
    """The secondaries die, then the primary, which took writes meanwhile; the others come back without it.

    What the primary acknowledged alone is gone. Majority writes are there for this. (Frozen secondaries would
    still read, from their sockets' buffers, what a dead primary had sent them.)
    """

    name = "primary dies before its writes are replicated"

    def inject(self, stage: Stage) -> None:
        self._victim = primary(stage)
        others = [name for name in stage.names("database") if name != self._victim]
        with ThreadPoolExecutor() as pool:
            list(pool.map(stage.kill_for_good, others))
        pause(1.0)  # less than the election timeout: until then it believes that it is the primary
        stage.kill_for_good(self._victim)
        for name in others:
            stage.revive(name)
        wait_for(lambda: primary(stage, others), 20)

    def end(self, stage: Stage) -> None:
        stage.revive(self._victim)

    def mended(self, stage: Stage) -> bool:
        return stage.accepts(self._victim)
