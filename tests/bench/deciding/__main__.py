"""`make bench-decide`: the CPU of one decision, with its reason, ours beside pycasbin and Cedar, in one run.

First every engine answers the same questions about the same random worlds: they have to give the same
answers, each with a reason that the others' bear out. Then they take turns at a case with 10 shares and one
with 200, and once more where every share names who asks. All in this process, on one thread. SHORT=1 for a
quick look.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from random import Random
from statistics import median

from tests.bench.deciding.asked import Engine, World, crowded, world
from tests.bench.deciding.casbin_engine import Casbin
from tests.bench.deciding.cedar_engine import Cedar
from tests.bench.deciding.ours import Ours
from tests.bench.figures import Report
from tests.bench.table import show, show_figures

SHORT = bool(os.environ.get("SHORT"))
ROUNDS, SECONDS = (3, 0.1) if SHORT else (7, 0.5)
WORLDS = 20 if SHORT else 100
SIZES = {10: ">= 50000", 200: None}
"""Shares of the case, and the decisions a second that are asked of ours."""
SEED = 61
AT_ONCE = 20
"""Decisions between two looks at the clock."""


def main() -> int:
    report = Report("bench-decide")
    answers, differ = compare(WORLDS)
    report.add("answers compared", answers, "", f">= {WORLDS * 100}")
    report.add("answers that differ", differ, "", "== 0")
    for size, target in SIZES.items():
        _measure(report, f"{size} shares", _timed(size), target)
    for size, target in SIZES.items():
        _measure(report, f"{size} shares, all the caller's", crowded(Random(SEED), size), target)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def engines(on: World) -> list[Engine]:
    return [Ours(on), Casbin(on), Cedar(on)]


def compare(worlds: int) -> tuple[int, int]:
    """How many answers were compared, and in how many the engines differed, or their reasons did."""
    answers = differ = 0
    for number in range(worlds):
        dice = Random(f"{SEED}/{number}")
        on = world(dice, dice.choice((0, 1, 3, 10, 30)), questions=100)
        differ += sum(_differ(engines(on), on))
        answers += len(on.questions)
    return answers, differ


def _differ(asked: Sequence[Engine], on: World) -> list[bool]:
    """Per question. Cedar names every share that lets in, ours the best, pycasbin the first that it meets."""
    found = []
    for question in on.questions:
        said = [engine.decide(engine.prepare(question)) for engine in asked]
        allowed = {let_in for let_in, _ in said}
        pairs = zip(asked, said, strict=True)
        behind = [engine.shares_behind(why) for engine, (let_in, why) in pairs if let_in]
        found.append(len(allowed) != 1 or any(not names <= behind[-1] for names in behind))
    return found


def _timed(size: int) -> World:
    """A world in which some are let in and some are not, for every reason that there is."""
    for number in range(100):
        on = world(Random(f"{SEED}/{size}/{number}"), size)
        let_in = sum(Ours(on).decide(question)[0] for question in on.questions)
        if 0.15 <= let_in / len(on.questions) <= 0.6:
            return on
    raise AssertionError("no world of this kind")


def _measure(report: Report, name: str, on: World, target: str | None) -> None:
    taken = _turns(engines(on), on)
    ours = taken[Ours.name]
    rows = []
    for engine, seconds in taken.items():
        each = median(seconds)
        times = median(one / other for one, other in zip(seconds, ours, strict=True))
        rows.append((engine, f"{1 / each:,.0f}", f"{each * 1e6:,.1f}", f"{times:.1f}"))
        wanted = target if engine == Ours.name else None
        report.add(f"{name}, {engine}: decisions", 1 / each, "1/s", wanted)
        report.add(f"{name}, {engine}: CPU", each * 1e6, "µs")
        report.add(f"{name}, {engine}: CPU of ours", times, "times")
    let_in = sum(Ours(on).decide(question)[0] for question in on.questions) / len(on.questions)
    show(f"{name}, {let_in:.0%} let in", ("", "decisions/s", "CPU µs", "of ours"), rows)


def _turns(asked: list[Engine], on: World) -> dict[str, list[float]]:
    """CPU seconds of one decision, per engine and round; the first round does not count."""
    taken: dict[str, list[float]] = {engine.name: [] for engine in asked}
    ready = {engine.name: [engine.prepare(question) for question in on.questions] for engine in asked}
    for number in range(ROUNDS + 1):
        for engine in asked[:: -1 if number % 2 else 1]:
            seconds = _turn(engine, ready[engine.name])
            if number:
                taken[engine.name].append(seconds)
    return taken


def _turn(engine: Engine, prepared: list[object]) -> float:
    """Every question as often as any other, as nearly as the time allows."""
    decide, asked, done = engine.decide, cycle(prepared), 0
    began = time.process_time()
    while (spent := time.process_time() - began) < SECONDS:
        for _ in range(AT_ONCE):
            decide(next(asked))
        done += AT_ONCE
    return spent / done


if __name__ == "__main__":
    sys.exit(main())
