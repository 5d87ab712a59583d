"""`make check-disclosure`: V3 and V6 while services are killed, and the broker is frozen and killed.

First it must find each of three planted faults. Then missing, doubled, mismatched and leaked must be 0, in
≥ 2,000 disclosures with SHORT=1, in ≥ 20,000 without, on every channel that shows case data.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from deploy import demo
from deploy.demo.api import Api, Refusal
from deploy.launcher.cell import Cell
from tests.bench.figures import Report
from tests.bench.table import show_figures
from tests.checks.disclosure import planted
from tests.checks.disclosure.author import Author, Case
from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.joining import Joined, Logged, join, logged, spans
from tests.checks.disclosure.leaks import Search
from tests.checks.disclosure.listening import Kept
from tests.checks.disclosure.lookers import CHANNELS, Cast, Looker, cast
from tests.checks.ground import Ground, ground, usual
from tests.checks.trouble import Trouble
from tests.journey.steps import POLICING_BODY, export
from tests.waiting import until

SHORT = bool(os.environ.get("SHORT"))
WANTED = 2_000 if SHORT else 20_000
LONGEST = 240.0 if SHORT else 2400.0
PROVING, PROVING_KILLS = 150, 3
"""Disclosures, and kills of `cases`, in which a planted fault must be found."""
CASES = 4
PROMISED = 75.0
"""Seconds after which an entry must be in the log."""
ENVIRONMENT = {"gateway": {"CONCORDAT_CASE_404S": "1000000"}}
TROUBLES = ("kill", "freeze", "kill", "kill", "kill_broker", "kill", "kill", "freeze", "kill", "kill", "kill")

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Came:
    joined: Joined
    entries: int
    troubles: list[str]


class Scene:
    """One system with its cases, in which one part of the check after another is played."""

    def __init__(self, on: Ground) -> None:
        self.on, self.aviary, self.kept = on, Aviary(), Kept()
        self.players = cast(on, self.aviary, self.kept)
        self.dpo = on.sign_in(POLICING_BODY, "partnership_dpo")
        self.cases = _cases(self.players)

    def play(self, wanted: int, trouble: Trouble, *, patience: float, kills: int = 0) -> Came:
        """Until `wanted` disclosures, and as many troubles as `kills`, or LONGEST. An entry that is not in
        the log then is missing after `patience` seconds."""
        self.kept.begin()
        stop, calm, began = threading.Event(), threading.Event(), time.monotonic()
        with _running(self._threads(stop), stop), _running([_thread(trouble.run, calm)], calm):
            while time.monotonic() - began < LONGEST:
                if self.kept.disclosures >= wanted and len(trouble.done) >= kills:
                    break
                time.sleep(0.1)
        return self._came(patience, trouble)

    def _threads(self, stop: threading.Event) -> list[threading.Thread]:
        lookers = enumerate(self.players.lookers)
        return [
            _thread(_author, self.players.author, self.players.guest_id, self.cases, stop),
            *(_thread(_look, looker, self.cases, number, stop) for number, looker in lookers),
        ]

    def _came(self, patience: float, trouble: Trouble) -> Came:
        """As soon as nothing is missing any more, or after `patience`."""
        give_up = time.monotonic() + patience
        while True:
            _caught_up(self.dpo)
            entries = _entries(self.dpo)
            joined = join(self.kept.received, entries, self.aviary.canary, spans(self.kept.wrote, entries))
            if not joined.missing or time.monotonic() > give_up:
                return Came(joined, len(entries), trouble.done)
            time.sleep(1.0)


def _thread(run: object, *arguments: object) -> threading.Thread:
    return threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]


@contextmanager
def _running(threads: Sequence[threading.Thread], stop: threading.Event) -> Iterator[None]:
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def _cases(players: Cast) -> list[Case]:
    """Opened and shared before anything goes wrong."""
    made = []
    for _ in range(CASES):
        case = players.author.open_case()
        players.author.share(case, players.share)
        for _ in range(2):
            players.author.write(case)
        players.author.give_task(case, players.guest_id)
        made.append(case)
    return made


def _author(author: Author, guest_id: str, cases: list[Case], stop: threading.Event) -> None:
    chance = random.Random(1)
    while not stop.wait(0.1):
        author.act(chance.choice(cases), chance, guest_id)


def _look(looker: Looker, cases: list[Case], seed: int, stop: threading.Event) -> None:
    chance = random.Random(seed)
    while not stop.is_set():
        looker.look(chance.choice(cases), chance)


def _caught_up(dpo: Api) -> None:
    """Return when the log has all that was recorded before: its queue keeps the order, and what is recorded
    of this very request comes last."""
    last = dpo.send("GET", "/me/consultations?limit=1").headers["Consultation"]

    def there() -> bool:
        try:
            dpo.get(f"/audit/entries/{last}")
        except (Refusal, httpx.HTTPError):
            return False
        return True

    until(there, seconds=PROMISED, every=0.5)


def _entries(dpo: Api) -> list[Logged]:
    """The whole log."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export"
        until(lambda: _exported(dpo, file), seconds=60, every=1.0)
        with file.open(encoding="utf-8") as lines:
            rows = (json.loads(line) for line in lines)
            return [logged(json.loads(row["detail"])) for row in rows if row.get("detail")]


def _exported(dpo: Api, file: Path) -> bool:
    try:
        export(dpo, file)
    except (AssertionError, httpx.HTTPError):
        return False
    return True


def restart_cases(on: Ground, commands: Mapping[str, Sequence[str]] | None = None) -> None:
    """`cases` as it is, or with a fault; the others run on."""
    environment = {**demo.ENVIRONMENT, **ENVIRONMENT}
    Cell(on.cell.places.root, usual(2), environment=environment, commands=commands).up()


def main() -> int:
    report = Report("check-disclosure")
    with ground(usual(2), environment=ENVIRONMENT) as on:
        scene = Scene(on)
        for fault in planted.FAULTS:
            _find(scene, fault, report)
        restart_cases(on)
        trouble = Trouble(on.cell, seed=3, acts=TROUBLES)
        came = scene.play(WANTED, trouble, patience=PROMISED, kills=5)
        search = Search(on.cell, scene.aviary.trace)
        leaked = [*scene.kept.leaks, *search.found()]
        _tell(scene, came, leaked, search, report)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def _find(scene: Scene, fault: str, report: Report) -> None:
    restart_cases(scene.on, planted.commands(fault))
    trouble = Trouble(scene.on.cell, seed=5, rest=(1.5, 2.5), acts=("kill_cases",))
    came = scene.play(PROVING, trouble, patience=0.0, kills=PROVING_KILLS)
    kind = planted.FOUND_AS[fault]
    found = getattr(came.joined, kind)
    console.print(f"planted, {fault}: {len(found)} {kind} in {came.joined.disclosures} disclosures")
    report.add(f"planted, {fault}: found", len(found), "times", ">= 1")


def _tell(scene: Scene, came: Came, leaked: Sequence[str], search: Search, report: Report) -> None:
    joined = came.joined
    for kind in ("missing", "doubled", "mismatched"):
        lines = getattr(joined, kind)
        for line, number in Counter(lines).most_common(30):
            console.print(f"{kind.upper()} {number} x {line}")
        report.add(kind, len(lines), "disclosures", "== 0")
    for place in leaked[:10]:
        console.print(f"LEAK {place}")
    for channel, number in sorted(joined.channels.items()):
        console.print(f"{number:7} {channel}")
    dumb = [channel for channel in CHANNELS if not joined.channels[channel]]
    console.print(f"troubles: {', '.join(came.troubles) or 'none'}")
    console.print(f"answers: {dict(sorted(scene.kept.statuses.items()))}")
    if dumb:
        console.print(f"NEVER SEEN {', '.join(dumb)}")
    report.add("leaks", len(leaked), "places", "== 0")
    report.add("searched for leaks", search.files, "files", ">= 10")
    report.add("disclosures", joined.disclosures, "disclosures", f">= {WANTED}")
    report.add("refusals", joined.refusals, "refusals", ">= 1")
    report.add("channels without a disclosure", len(dumb), "channels", "== 0")
    report.add("entries in the log", came.entries, "entries")
    report.add("troubles", len(came.troubles), "times", ">= 5")


if __name__ == "__main__":
    sys.exit(main())
