"""Outcomes against their targets: figures for the report, and a table for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.table import Table

from tests.bench.figures import Figure, figure
from tests.faults.checker import ANSWER_SECONDS
from tests.faults.trial import Outcome

HEALED_SECONDS = 5.0
AFTERWARDS_SHARE = 0.99
ENDLESS = 999.0
"""Stands in reports for a time that did not end: JSON knows no infinity."""


def figures(outcome: Outcome, success: float | None) -> list[Figure]:
    """What is known of one trial. `success` is the share of good answers that it must reach, if any."""
    name, afterwards = outcome.name, outcome.afterwards
    found = [
        figure(f"{name}: answers", outcome.answers, "answers"),
        figure(f"{name}: load", outcome.rate, "requests/s"),
        figure(f"{name}: success", outcome.success, "share", None if success is None else f">= {success}"),
        figure(f"{name}: slowest answer", _finite(outcome.slowest), "s", f"<= {ANSWER_SECONDS}"),
        figure(f"{name}: lost", outcome.count("lost"), "writes and events", "== 0"),
        figure(f"{name}: doubled", outcome.count("doubled"), "writes and events", "== 0"),
        figure(f"{name}: out of order", outcome.count("out of order"), "events", "== 0"),
        figure(f"{name}: foreign", outcome.count("foreign"), "writes, events and answers", "== 0"),
        figure(f"{name}: without an outcome", outcome.count("unfinished"), "commands", "== 0"),
        figure(f"{name}: healed", _finite(outcome.healed), "s", f"<= {HEALED_SECONDS}"),
        figure(f"{name}: unplanned exits", outcome.unplanned_exits, "processes", "== 0"),
        figure(f"{name}: whole again", ENDLESS if outcome.whole is None else outcome.whole, "s", "<= 60.0"),
        figure(f"{name}: stale reads", outcome.stale, "answers"),
        figure(f"{name}: caught up", outcome.caught_up, "s"),
    ]
    if afterwards is not None:
        found.append(figure(f"{name}: success afterwards", afterwards, "share", f">= {AFTERWARDS_SHARE}"))
    return found


def table(title: str, rows: Iterable[tuple[Outcome, Sequence[Figure]]]) -> Table:
    """A line for each trial."""
    found = Table(title=title)
    found.add_column("fault")
    heads = (
        "answers",
        "success",
        "slowest s",
        "lost",
        "doubled",
        "order",
        "foreign",
        "healed s",
        "exits",
        "holds",
    )
    for head in heads:
        found.add_column(head, justify="right")
    for outcome, judged in rows:
        holds = all(each.holds is not False for each in judged)
        found.add_row(
            outcome.name,
            str(outcome.answers),
            f"{outcome.success:.1%}",
            f"{_finite(outcome.slowest):.2f}",
            str(outcome.count("lost")),
            str(outcome.count("doubled")),
            str(outcome.count("out of order")),
            str(outcome.count("foreign", "unfinished")),
            f"{_finite(outcome.healed):.2f}",
            str(outcome.unplanned_exits),
            "yes" if holds else "NO",
            style="" if holds else "bold red",
        )
    return found


def reasons(outcome: Outcome, judged: Sequence[Figure]) -> list[str]:
    """Why a trial does not hold: its figures, and the first violations of each sort."""
    found = [
        f"{each.name} is {each.value:g} {each.unit}, wanted {each.target}"
        for each in judged
        if each.holds is False
    ]
    shown: Counter[str] = Counter()
    for violation in outcome.violations:
        shown[violation.what] += 1
        if shown[violation.what] <= 3:
            found.append(f"  {violation.promise} {violation.what}: {violation.text}")
    return found


def _finite(seconds: float) -> float:
    return min(seconds, ENDLESS)
