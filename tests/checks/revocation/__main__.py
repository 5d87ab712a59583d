"""`make check-revocation`: V2 under load and faults, two of every service and two gateways.

First the check proves that it can fail: with each of four planted faults it must find violations. Then, with
none planted, it must find none: in ≥ 5,000 operations with SHORT=1, in ≥ 100,000 without, single and cluster.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from tests.bench.figures import Report
from tests.bench.table import show, show_figures
from tests.checks.ground import ground, usual
from tests.checks.revocation import planted
from tests.checks.revocation.driver import Driver
from tests.checks.revocation.guests import Reader, Watcher
from tests.checks.revocation.history import History
from tests.checks.revocation.judge import Violation, violations
from tests.checks.revocation.scene import Scene, set_up
from tests.checks.trouble import Trouble

SHORT = bool(os.environ.get("SHORT"))
CASES = 4
WANTED = 5_000 if SHORT else 100_000
LONGEST = 150.0 if SHORT else 3000.0
"""Seconds that one run may take, whatever it has done by then."""
PROVING = 25.0

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Run:
    """One system with this workload on it."""

    cluster: bool = False
    commands: Mapping[str, Sequence[str]] | None = None
    trouble: bool = True
    wanted: int = WANTED
    longest: float = LONGEST
    until_found: bool = False


@dataclass(frozen=True)
class Came:
    history: History
    found: list[Violation]
    troubles: list[str]
    deliveries: int


def play(run: Run) -> Came:
    """Until there are as many operations as wanted, or a violation where one is looked for."""
    environment = {"gateway": {"CONCORDAT_CASE_404S": "1000000"}}
    with ground(usual(2), cluster=run.cluster, commands=run.commands, environment=environment) as on:
        scene, history = set_up(on, CASES), History()
        stop, ended = threading.Event(), threading.Event()
        watcher, trouble = Watcher(on.urls, scene, history), Trouble(on.cell, seed=7)
        watcher.subscribe()
        threads = [*_drivers(on.urls, scene, history), *_readers(on.urls, scene, history)]
        workers = [threading.Thread(target=one.run, args=(stop,)) for one in threads]
        workers.append(threading.Thread(target=watcher.run, args=(stop,)))
        if run.trouble:
            threading.Thread(target=trouble.run, args=(ended,), daemon=True).start()
        for worker in workers:
            worker.start()
        began = time.monotonic()
        while time.monotonic() - began < run.longest and history.operations < run.wanted:
            if run.until_found and violations(history):
                break
            time.sleep(0.5)
        ended.set()
        time.sleep(1.0 if run.trouble else 0.0)
        stop.set()
        for worker in workers:
            worker.join(90)
        watcher.finish()
        return Came(history, violations(history), trouble.done, watcher.deliveries)


def _drivers(urls: list[str], scene: Scene, history: History) -> list[Driver]:
    return [Driver(urls[n % len(urls)], scene, case, history, n) for n, case in enumerate(scene.cases)]


def _readers(urls: list[str], scene: Scene, history: History) -> list[Reader]:
    return [
        Reader(urls[n % len(urls)], scene, guest, history, 100 + n)
        for n, guest in enumerate(scene.guests * 2)
    ]


def main() -> int:
    arguments = _arguments()
    report = Report("check-revocation")
    if not arguments.no_proofs:
        for fault in planted.FAULTS:
            if fault.cluster and SHORT:
                continue
            _prove(fault, report)
    for cluster in _where(arguments):
        _check(cluster, report)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def _prove(fault: planted.Fault, report: Report) -> None:
    run = Run(
        cluster=fault.cluster,
        commands=fault.commands(),
        trouble=fault.cluster,
        longest=PROVING * (4 if fault.cluster else 1),
        until_found=True,
    )
    came = play(run)
    console.print(
        f"planted, {fault.name}: {len(came.found)} violations in {came.history.operations} operations"
    )
    report.add(f"planted, {fault.name}: violations found", len(came.found), "violations", ">= 1")


def _check(cluster: bool, report: Report) -> None:
    came = play(Run(cluster=cluster))
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
    turns = sum(not turn.gives and turn.acknowledged for turn in history.turns)
    report.add(f"{name}: operations", history.operations, "operations", f">= {WANTED}")
    report.add(f"{name}: narrowings acknowledged", turns, "narrowings", ">= 20")
    report.add(f"{name}: sightings judged", len(history.sightings), "sightings", ">= 100")
    report.add(f"{name}: deliveries", came.deliveries, "deliveries", ">= 1")
    report.add(f"{name}: slowest answer", history.slowest, "s", "<= 5")
    report.add(f"{name}: violations", len(came.found), "violations", "== 0")


def _where(arguments: argparse.Namespace) -> list[bool]:
    if arguments.cluster:
        return [True]
    return [False] if SHORT or arguments.single else [False, True]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.checks.revocation", description=__doc__)
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--no-proofs", action="store_true", help="leave the planted faults out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
