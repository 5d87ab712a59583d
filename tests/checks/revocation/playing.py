"""One system with everybody on it who gives, takes and reads, and with what goes wrong meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.checks.ground import ground
from tests.checks.revocation.contesting import GLASS_SECONDS, Contesting
from tests.checks.revocation.driver import Driver
from tests.checks.revocation.guests import Reader
from tests.checks.revocation.history import BY_STANDING, History
from tests.checks.revocation.judge import Violation, violations, violations_so_far
from tests.checks.revocation.mover import Mover
from tests.checks.revocation.planted import Fault, by_fault
from tests.checks.revocation.restored import restore
from tests.checks.revocation.scene import Scene, set_up
from tests.checks.revocation.seats import Seat
from tests.checks.revocation.standing import Standing
from tests.checks.revocation.watching import Watcher
from tests.checks.trouble import Trouble

SHORT = bool(os.environ.get("SHORT"))
CASES = 4
WANTED = 5_000 if SHORT else 100_000
LONGEST = 150.0 if SHORT else 3000.0
"""Seconds that one run may take, whatever it has done by then."""
ENVIRONMENT: Mapping[str, Mapping[str, str]] = {
    "gateway": {"CONCORDAT_CASE_404S": "1000000"},
    "sharing": {"CONCORDAT_GLASS_MINUTES": str(GLASS_SECONDS / 60), "CONCORDAT_GLASS_A_DAY": "1000"},
}


@dataclass(frozen=True)
class Run:
    """One system with this workload on it. `restored`: at the end an older copy of `sharing` is put back."""

    counts: Mapping[str, int]
    cluster: bool = False
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    troubles: Sequence[str] = ()
    wanted: int = WANTED
    longest: float = LONGEST
    looked_for: Sequence[Fault] = ()
    restored: bool = False


@dataclass(frozen=True)
class Came:
    history: History
    found: list[Violation]
    troubles: list[str]
    lost: int
    seconds: float


def play(run: Run) -> Came:
    """Until there are as many operations as wanted, or every violation that is looked for."""
    with ground(run.counts, cluster=run.cluster, commands=run.commands, environment=ENVIRONMENT) as on:
        scene, history = set_up(on, CASES), History()
        stop, calm = threading.Event(), threading.Event()
        watcher, trouble = Watcher(on.urls, scene, history), Trouble(on.cell, seed=7, acts=run.troubles)
        watcher.subscribe()
        drivers = [Driver(on.urls, scene, number, history) for number in range(CASES)]
        movers = [
            *drivers,
            Mover(on.urls[-1], scene, history),
            Standing(scene, history, _standing(run.looked_for)),
            Contesting(on.urls[-1], scene, history),
        ]
        players = [*movers, *_readers(on.urls, scene, history), watcher]
        workers = [threading.Thread(target=one.run, args=(stop,)) for one in players]
        troubling = threading.Thread(target=trouble.run, args=(calm,))
        began = time.monotonic()
        for thread in (*workers, troubling):
            thread.start()
        try:
            while time.monotonic() - began < run.longest and history.operations < run.wanted:
                if run.looked_for and all(by_fault(run.looked_for, violations_so_far(history)).values()):
                    break
                time.sleep(1.0)
        finally:  # also when it is told to end: nobody asks a system on and on that is taken down
            calm.set()
            troubling.join(30)
            stop.set()
            for worker in workers:
                worker.join(90)
        seconds = time.monotonic() - began
        if run.restored:
            restore(on, scene, history, drivers)
        lost = sum(mover.lost for mover in movers)
        return Came(history, violations(history), trouble.done, lost, seconds)


def _standing(looked_for: Sequence[Fault]) -> frozenset[str]:
    """The kinds that show what is looked for; all, if nothing is."""
    shown = frozenset[str]().union(*(fault.kinds for fault in looked_for))
    return shown & BY_STANDING or BY_STANDING


def _readers(urls: list[str], scene: Scene, history: History) -> list[Reader]:
    seats = [Seat(guest) for guest in (*scene.guests * 2, scene.member, scene.breaker)]
    seats += [scene.residence.seat, scene.residence.seat, scene.residence.machine]
    return [Reader(urls[n % len(urls)], scene, seat, history, 100 + n) for n, seat in enumerate(seats)]
