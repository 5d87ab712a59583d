"""One fault under load, from the first request to the verdict."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from tests.faults import effects
from tests.faults.checker import Violation, What, check
from tests.faults.fault import Fault
from tests.faults.history import Exchange, History, Kind
from tests.faults.stage import Stage, pause, wait_for
from tests.faults.workload import Workload

WARM_UP_SECONDS, MEND_SECONDS, HEAL_SECONDS = 10.0, 60.0, 20.0
OUTCOME_SECONDS = 20.0
"""For the commands that have no outcome yet when the load ends."""
SETTLE_SECONDS = 60.0
WHOLE_SECONDS = 90.0
BREATH = 1.0
"""Seconds of load before a fault and after it was healed."""
AFTERWARDS = 5.0, 7.0
"""The seconds after the last mending, by which all must be well again and until which the load goes on."""


@dataclass(frozen=True, slots=True)
class Window:
    """One fault, in the seconds of the exchanges' clock."""

    began: float
    mended: float
    healed: float | None
    """When every kind of request had been answered well again; None: it was not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found."""

    name: str
    history: History
    violations: tuple[Violation, ...]
    windows: tuple[Window, ...]
    unplanned_exits: int
    caught_up: float
    """Seconds from the last answer until every event had taken effect."""
    whole: float | None
    """Seconds from then until every node was back in its cluster; None: one was not."""
    seconds: float

    def count(self, *what: What) -> int:
        return sum(violation.what in what for violation in self.violations)

    @property
    def answers(self) -> int:
        return sum(exchange.ended is not None for exchange in self.history.exchanges)

    @property
    def rate(self) -> float:
        """Requests a second."""
        times = [exchange.began for exchange in self.history.exchanges]
        return len(times) / max(1e-9, max(times) - min(times)) if times else 0.0

    @property
    def success(self) -> float:
        """The share of good answers to what was asked while the fault lasted, until it was healed."""
        asked = [e for e in self.history.exchanges if any(_within(e, window) for window in self.windows)]
        return sum(exchange.good for exchange in asked) / len(asked) if asked else 1.0

    @property
    def afterwards(self) -> float | None:
        """The share of good answers to what was asked when all should have been well; None: nothing was."""
        since = max((window.mended for window in self.windows), default=0.0) + AFTERWARDS[0]
        asked = [exchange for exchange in self.history.exchanges if exchange.began >= since]
        return sum(exchange.good for exchange in asked) / len(asked) if asked else None

    @property
    def slowest(self) -> float:
        """Seconds; what was not answered at all counts as endless."""
        return max(
            (float("inf") if e.seconds is None else e.seconds for e in self.history.exchanges), default=0.0
        )

    @property
    def healed(self) -> float:
        """Seconds from mending to the first good answer, of the slowest kind, the worst of all times."""
        return max((_healing(window) for window in self.windows), default=0.0)

    @property
    def stale(self) -> int:
        return stale_reads(self.history.exchanges)


def run(
    stage: Stage, fault: Fault, *, settle_seconds: float = SETTLE_SECONDS, afterwards: bool = True
) -> Outcome:
    """Arrange the stage, load it, break and mend it, watch it `afterwards`, and judge."""
    stage.arrange(fault.setup)
    began, name = time.monotonic(), f"t{uuid.uuid4().hex[:8]}"
    exits, planned = stage.exits(), stage.planned_exits
    workload = Workload(name, *stage.gateway())
    workload.start()
    try:
        wait_for(lambda: _answered_since(workload.so_far(), began), WARM_UP_SECONDS)
        windows = tuple(_once(stage, fault, workload) for _ in range(fault.times))
        pause(max(0.0, windows[-1].mended + AFTERWARDS[1] - time.monotonic()) if afterwards else 0.0)
    finally:
        exchanges = workload.stop(OUTCOME_SECONDS)
    with stage.mongo() as client:
        caught_up = effects.settle(client, name, settle_seconds)
        boxed = "no_outbox" not in fault.setup.switched_off
        history = effects.read(client, name, exchanges, boxed=boxed)
    settled = time.monotonic()
    whole = time.monotonic() - settled if wait_for(stage.whole, WHOLE_SECONDS) else None
    return Outcome(
        fault.name,
        history,
        tuple(check(history)),
        windows,
        stage.exits() - exits - (stage.planned_exits - planned),
        caught_up,
        whole,
        time.monotonic() - began,
    )


def stale_reads(exchanges: Iterable[Exchange]) -> int:
    """Reads that began after a change was acknowledged, and show an older version."""
    known: Counter[str] = Counter()
    ordered = [(e.ended or 0.0, False, e) for e in exchanges if e.kind == "change" and e.good]
    ordered += [(e.began, True, e) for e in exchanges if e.kind == "get" and e.good]
    stale = 0
    for _, is_read, exchange in sorted(ordered, key=lambda row: row[:2]):
        if is_read:
            stale += (exchange.version or 0) < known[exchange.note]
        else:
            known[exchange.note] = max(known[exchange.note], exchange.version or 0)
    return stale


def _once(stage: Stage, fault: Fault, workload: Workload) -> Window:
    pause(BREATH)
    began = time.monotonic()
    try:
        fault.inject(stage)
        pause(fault.hold)
    finally:
        fault.end(stage)
    wait_for(lambda: fault.mended(stage), MEND_SECONDS)
    mended = time.monotonic()
    wait_for(lambda: _answered_since(workload.so_far(), mended), HEAL_SECONDS, every=0.05)
    healed = _answered_since(workload.so_far(), mended)
    pause(BREATH)
    return Window(began, mended, healed)


def _answered_since(exchanges: Iterable[Exchange], since: float) -> float | None:
    """When each kind of request had had a good answer after `since`; None while one has not."""
    first: dict[Kind, float] = {}
    for exchange in exchanges:
        if exchange.good and exchange.ended is not None and exchange.ended >= since:
            first[exchange.kind] = min(first.get(exchange.kind, exchange.ended), exchange.ended)
    return max(first.values()) if len(first) == len(get_args(Kind)) else None


def _within(exchange: Exchange, window: Window) -> bool:
    return window.began <= exchange.began <= (window.healed or float("inf"))


def _healing(window: Window) -> float:
    return float("inf") if window.healed is None else window.healed - window.mended
