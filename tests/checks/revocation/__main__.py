"""`make check-revocation`: V2 under load and faults, two of every service and two gateways.

First the check proves that it can fail: it must find each of four planted faults. Then, with none planted, it
must find nothing: in ≥ 5,000 operations with SHORT=1, in ≥ 100,000 without; on one database, and with
--cluster on three nodes each of broker and database, whose primary is deposed again and again.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Report
from tests.bench.table import show, show_figures
from tests.checks.ground import ground, usual
from tests.checks.revocation.deposing import Deposing
from tests.checks.revocation.driver import Driver
from tests.checks.revocation.guests import CHANNELS, Reader, Watcher
from tests.checks.revocation.history import History, Turn
from tests.checks.revocation.judge import Violation, shut_out, violations
from tests.checks.revocation.mover import Mover
from tests.checks.revocation.planted import BELIEVING, PLANTED, Fault, Planting
from tests.checks.revocation.scene import Scene, set_up
from tests.checks.trouble import Trouble

SHORT = bool(os.environ.get("SHORT"))
CASES = 4
WANTED = 5_000 if SHORT else 100_000
LONGEST = 150.0 if SHORT else 3000.0
"""Seconds that one run may take, whatever it has done by then."""
PROVING = 40.0
DEPOSED_MOST = 5
"""Times that the primary is deposed until the fault is found."""
SLOWEST = 5.0

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Run:
    """One system with this workload on it."""

    counts: Mapping[str, int]
    cluster: bool = False
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    troubles: Sequence[str] = ()
    wanted: int = WANTED
    longest: float = LONGEST
    looked_for: Sequence[Fault] = ()


@dataclass(frozen=True)
class Came:
    history: History
    found: list[Violation]
    troubles: list[str]
    lost: int
    seconds: float


def play(run: Run) -> Came:
    """Until there are as many operations as wanted, or every violation that is looked for."""
    environment = {"gateway": {"CONCORDAT_CASE_404S": "1000000"}, **run.environment}
    with ground(run.counts, cluster=run.cluster, commands=run.commands, environment=environment) as on:
        scene, history = set_up(on, CASES), History()
        stop, calm = threading.Event(), threading.Event()
        watcher, trouble = Watcher(on.urls, scene, history), Trouble(on.cell, seed=7, acts=run.troubles)
        watcher.subscribe()
        drivers: list[Driver | Mover] = [Driver(on.urls, scene, number, history) for number in range(CASES)]
        drivers.append(Mover(on.urls[-1], scene, history))
        players = [*drivers, *_readers(on.urls, scene, history), watcher]
        workers = [threading.Thread(target=one.run, args=(stop,)) for one in players]
        troubling = threading.Thread(target=trouble.run, args=(calm,))
        began = time.monotonic()
        for thread in (*workers, troubling):
            thread.start()
        try:
            while time.monotonic() - began < run.longest and history.operations < run.wanted:
                if run.looked_for and all(_by_fault(run.looked_for, violations(history)).values()):
                    break
                time.sleep(1.0)
        finally:  # also when it is told to end: nobody asks a system on and on that is taken down
            calm.set()
            troubling.join(30)
            stop.set()
            for worker in workers:
                worker.join(90)
        return Came(
            history,
            violations(history),
            trouble.done,
            sum(driver.lost for driver in drivers),
            time.monotonic() - began,
        )


def _readers(urls: list[str], scene: Scene, history: History) -> list[Reader]:
    return [
        Reader(urls[n % len(urls)], scene, guest, history, 100 + n)
        for n, guest in enumerate([*scene.guests * 2, scene.member])
    ]


def _by_fault(faults: Sequence[Fault], found: Sequence[Violation]) -> dict[str, int]:
    return {fault.name: sum(one.sighting.channel in fault.channels for one in found) for fault in faults}


def main() -> int:
    arguments = _arguments()
    # Told to end, it takes down what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report("check-revocation")
    where = _where(arguments)
    if not arguments.no_proofs:
        _prove(report)
    if any(where) and not arguments.no_proofs:
        _prove_deposed(report)
    for cluster in where if not arguments.only_proofs else ():
        _check(cluster, arguments.operations, report)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def _prove(report: Report) -> None:
    run = Run(usual(), commands=PLANTED.commands(), longest=PROVING, looked_for=PLANTED.faults)
    came = play(run)
    _found(PLANTED, came.found, came.seconds, report)


def _prove_deposed(report: Report) -> None:
    history, began = History(), time.monotonic()
    with tempfile.NamedTemporaryFile("w") as file:
        environment = BELIEVING.environment(Path(file.name))
        running = ground(usual(2), cluster=True, commands=BELIEVING.commands(), environment=environment)
        with running as on:
            deposing = Deposing(on, set_up(on, 1), history, Path(file.name))
            for number in range(DEPOSED_MOST):
                deposing.round(number)
                if violations(history):
                    break
    _found(BELIEVING, violations(history), time.monotonic() - began, report)


def _found(planting: Planting, found: Sequence[Violation], seconds: float, report: Report) -> None:
    for name, number in _by_fault(planting.faults, found).items():
        console.print(f"planted, {name}: {number} violations, {seconds:.0f} s")
        report.add(f"planted, {name}: violations found", number, "violations", ">= 1")
    for violation in found[:5]:
        console.print(f"  such as {violation.text()}")


def _check(cluster: bool, wanted: int, report: Report) -> None:
    troubles = ("kill", "kill", "freeze", "depose") if cluster else ("kill", "kill", "freeze")
    came = play(Run(usual(2), cluster=cluster, troubles=troubles, wanted=wanted))
    history, name = came.history, "cluster" if cluster else "single"
    counted: dict[str, dict[str, int]] = {}
    for answer, number in sorted(history.answers.items()):
        channel, _, status = answer.rpartition(" ")
        counted.setdefault(channel, {})[status] = number
    rows = [
        (channel, str(sum(by.values())), "  ".join(f"{status}: {n}" for status, n in by.items()))
        for channel, by in counted.items()
    ]
    show(f"{name}: operations and their answers", ("channel", "operations", "by status"), rows)
    console.print(f"troubles: {', '.join(came.troubles) or 'none'}")
    for violation in came.found[:20]:
        console.print(f"VIOLATION {violation.text()}")
    console.print(f"slowest: {history.slowest_name}")
    narrowings = len({(turn.pair.case_id, turn.ended) for turn in history.turns if _narrowed(turn)})
    seen, barred = Counter(one.channel for one in history.sightings), shut_out(history)
    report.add(f"{name}: operations", history.operations, "operations", f">= {wanted}")
    report.add(f"{name}: operations per second", history.operations / came.seconds, "1/s")
    report.add(f"{name}: narrowings acknowledged", narrowings, "narrowings", ">= 20")
    report.add(f"{name}: givings and takings whose end nobody knows", came.lost, "", "== 0")
    for channel in CHANNELS:
        report.add(f"{name}: sightings, {channel}", seen[channel], "sightings", ">= 1")
    report.add(f"{name}: asked while shut out", barred.total(), "times", ">= 200")
    report.add(f"{name}: slowest answer", history.slowest, "s", f"<= {SLOWEST}")
    report.add(f"{name}: violations", len(came.found), "violations", "== 0")


def _narrowed(turn: Turn) -> bool:
    return turn.acknowledged and not turn.gives


def _where(arguments: argparse.Namespace) -> list[bool]:
    if arguments.cluster:
        return [True]
    return [False] if SHORT or arguments.single else [False, True]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.checks.revocation", description=__doc__)
    parser.add_argument("--single", action="store_true", help="not on a cluster")
    parser.add_argument("--cluster", action="store_true", help="on a cluster only")
    parser.add_argument("--no-proofs", action="store_true", help="leave the planted faults out")
    parser.add_argument("--only-proofs", action="store_true", help="find the planted faults, and no more")
    parser.add_argument("--operations", type=int, default=WANTED, help="how many are wanted")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
