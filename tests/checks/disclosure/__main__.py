"""`make check-disclosure`: V3 and V6 while services are killed and the broker is restarted.

First it must find each of three planted faults. Then missing, doubled, mismatched and leaked must be 0, in
≥ 2,000 disclosures with SHORT=1, in ≥ 20,000 without.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Report
from tests.bench.table import show_figures
from tests.checks.disclosure import planted
from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.joining import Joined, Logged, join, logged
from tests.checks.disclosure.leaks import leaks
from tests.checks.disclosure.workers import Case, Cast, Kept, Looker, cast
from tests.checks.ground import Ground, ground, usual
from tests.checks.trouble import Trouble
from tests.journey.steps import POLICING_BODY, export
from tests.waiting import until

SHORT = bool(os.environ.get("SHORT"))
WANTED = 2_000 if SHORT else 20_000
LONGEST = 150.0 if SHORT else 2400.0
PROVING = 400
"""Disclosures in which a planted fault must be found."""
CASES = 6
PROMISED = 75.0
"""Seconds after which an entry must be in the log."""

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Came:
    joined: Joined
    leaked: list[str]
    troubles: list[str]
    entries: int


def play(wanted: int, *, commands: Mapping[str, Sequence[str]] | None = None, seed: int = 3) -> Came:
    environment = {"gateway": {"CONCORDAT_CASE_404S": "1000000"}}
    with ground(usual(2), commands=commands, environment=environment) as on:
        aviary, kept = Aviary(), Kept()
        players = cast(on, aviary, kept)
        cases = _cases(players)
        trouble, stop, calm = Trouble(on.cell, seed=seed), threading.Event(), threading.Event()
        threads = [threading.Thread(target=_author, args=(players, cases, stop))]
        threads += [
            threading.Thread(target=_look, args=(looker, cases, n, stop))
            for n, looker in enumerate(players.lookers)
        ]
        troubling = threading.Thread(target=trouble.run, args=(calm,))
        for thread in (*threads, troubling):
            thread.start()
        began = time.monotonic()
        while kept.disclosures < wanted and time.monotonic() - began < LONGEST:
            time.sleep(0.2)
        calm.set()
        troubling.join(30)
        stop.set()
        for thread in threads:
            thread.join(30)
        entries = _entries(on, kept)
        found = join(kept.received, entries.values(), _spans(kept, entries))
        return Came(found, [*kept.leaks, *leaks(on.cell, aviary.trace)], trouble.done, len(entries))


def _cases(players: Cast) -> list[Case]:
    """Opened and shared before anything goes wrong."""
    made = []
    while len(made) < CASES:
        case = players.author.open_case(players.team)
        assert case is not None, "a case could not be opened"
        shared = players.author.ask("POST", f"/cases/{case.id}/shares", players.share)
        assert shared.status == 201, shared.body
        players.author.write(case)
        players.author.give_task(case, players.guest_id)
        made.append(case)
    return made


def _author(players: Cast, cases: list[Case], stop: threading.Event) -> None:
    chance = random.Random(1)
    while not stop.is_set():
        case = chance.choice(cases)
        act = chance.choice((players.author.write, players.author.write, players.author.rewrite))
        act(case)
        stop.wait(0.05)


def _look(looker: Looker, cases: list[Case], seed: int, stop: threading.Event) -> None:
    chance = random.Random(seed)
    while not stop.is_set():
        looker.look(chance.choice(cases), chance)


def _entries(on: Ground, kept: Kept) -> dict[str, Logged]:
    """The log, once it holds what was answered, or once it must."""
    wanted = {one.entry_id for one in kept.received if one.canaries and one.entry_id}
    dpo = on.sign_in(POLICING_BODY, "partnership_dpo")
    found: dict[str, Logged] = {}

    def look() -> bool:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "export"
            export(dpo, file)
            for line in file.read_text().splitlines():
                row = json.loads(line)
                if row.get("detail"):
                    entry = logged(_detail(row["detail"]))
                    found[entry.id] = entry
        return wanted <= found.keys()

    try:
        until(look, seconds=PROMISED, every=3.0)
    except AssertionError:
        console.print(f"{len(wanted - found.keys())} entries are not in the log after {PROMISED:.0f} s")
    return found


def _detail(detail: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(detail) if isinstance(detail, str) else detail  # type: ignore[assignment]
    return found


def _spans(kept: Kept, entries: Mapping[str, Logged]) -> dict[str, tuple[int, int | None]]:
    """From which version of a case a summary stood in it, and from which no more."""
    spans: dict[str, tuple[int, int | None]] = {}
    for case_id, words in kept.summaries.items():
        versions = [
            entries[entry_id].versions.get(case_id) if entry_id in entries else None for _, entry_id in words
        ]
        for n, (word, _) in enumerate(words):
            first, after = versions[n], versions[n + 1] if n + 1 < len(words) else None
            if first is not None and (n + 1 == len(words) or after is not None):
                spans[word] = (first, after)
    return spans


def main() -> int:
    report = Report("check-disclosure")
    for fault in planted.FAULTS:
        came = play(PROVING, commands=planted.commands(fault))
        found = len(came.joined.missing) + len(came.joined.doubled) + len(came.joined.mismatched)
        console.print(f"planted, {fault}: {found} found in {came.joined.disclosures} disclosures")
        report.add(f"planted, {fault}: found", found, "times", ">= 1")
    came = play(WANTED)
    for kind in ("missing", "doubled", "mismatched"):
        lines = getattr(came.joined, kind)
        for line in lines[:10]:
            console.print(f"{kind.upper()} {line}")
        report.add(kind, len(lines), "disclosures", "== 0")
    for place in came.leaked[:10]:
        console.print(f"LEAK {place}")
    console.print(f"troubles: {', '.join(came.troubles) or 'none'}")
    report.add("leaks", len(came.leaked), "places", "== 0")
    report.add("disclosures", came.joined.disclosures, "disclosures", f">= {WANTED}")
    report.add("entries in the log", came.entries, "entries")
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
