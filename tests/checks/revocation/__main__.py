"""`make check-revocation`: V2 under load and faults, two of every service and two gateways.

First the check proves that it can fail: it must find each of seven planted faults. Then, with none planted,
it must find nothing: in ≥ 5,000 operations with SHORT=1, in ≥ 100,000 without, and after a restore; on one
database, and with --cluster on three nodes each of broker and database, whose primary is deposed again and
again. Every kind of narrowing has to occur, and what it takes has to be asked for.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Report
from tests.bench.table import show, show_figures
from tests.checks.ground import ground, usual
from tests.checks.revocation.deposing import Deposing
from tests.checks.revocation.guests import CHANNELS
from tests.checks.revocation.history import KINDS, History
from tests.checks.revocation.judge import Violation, narrowed, shut_out, violations
from tests.checks.revocation.planted import BELIEVING, PLANTED, Planting, by_fault
from tests.checks.revocation.playing import SHORT, WANTED, Came, Run, play
from tests.checks.revocation.scene import set_up

PROVING = 60.0
DEPOSED_MOST = 5
"""Times that the primary is deposed until the fault is found."""
SLOWEST = 5.0

console = Console(highlight=False, soft_wrap=True)


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
    for name, number in by_fault(planting.faults, found).items():
        console.print(f"planted, {name}: {number} violations, {seconds:.0f} s")
        report.add(f"planted, {name}: violations found", number, "violations", ">= 1")
    for violation in found[:5]:
        console.print(f"  such as {violation.text()}")


def _check(cluster: bool, wanted: int, report: Report) -> None:
    troubles = ("kill", "kill", "freeze", "depose") if cluster else ("kill", "kill", "freeze")
    came = play(Run(usual(2), cluster=cluster, troubles=troubles, wanted=wanted, restored=True))
    history, name = came.history, "cluster" if cluster else "single"
    _show(came, name)
    seen = Counter(one.channel for one in history.sightings)
    channels, kinds = shut_out(history)
    narrowings = narrowed(history)
    report.add(f"{name}: operations", history.operations, "operations", f">= {wanted}")
    report.add(f"{name}: operations per second", history.operations / came.seconds, "1/s")
    report.add(f"{name}: narrowings acknowledged", narrowings.total(), "narrowings", ">= 20")
    report.add(f"{name}: givings and takings whose end nobody knows", came.lost, "", "== 0")
    for channel in CHANNELS:
        report.add(f"{name}: sightings, {channel}", seen[channel], "sightings", ">= 1")
    for kind in KINDS:
        report.add(f"{name}: narrowed, {kind}", narrowings[kind], "times", ">= 1")
        report.add(f"{name}: asked while shut out, {kind}", kinds[kind], "times", ">= 1")
    report.add(f"{name}: asked while shut out", channels.total(), "times", ">= 200")
    report.add(f"{name}: slowest answer", history.slowest, "s", f"<= {SLOWEST}")
    report.add(f"{name}: violations", len(came.found), "violations", "== 0")


def _show(came: Came, name: str) -> None:
    counted: dict[str, dict[str, int]] = {}
    for answer, number in sorted(came.history.answers.items()):
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
    console.print(f"slowest: {came.history.slowest_name}")


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
