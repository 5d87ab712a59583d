"""One system with its cases, in which one part of the check after another is played."""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy import demo
from deploy.demo.api import Refusal
from deploy.launcher.cell import Cell
from tests.checks.disclosure.author import Author, Case
from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.joining import Joined, Logged, Received, join, join_pushes, logged, spans
from tests.checks.disclosure.listening import Kept
from tests.checks.disclosure.players import Cast, Looking, cast
from tests.checks.ground import Ground, usual
from tests.checks.trouble import Trouble
from tests.journey.steps import POLICING_BODY, export, verify
from tests.waiting import until

CASES = 4
PROMISED = 75.0
"""Seconds after which an entry must be in the log."""
ENVIRONMENT = {"gateway": {"CONCORDAT_CASE_404S": "1000000"}}

RAN_AGAIN = ('"call_ran_again"', '"command_delivered_again"')
"""Events of our own logs: of such a request there may be a record for each run."""
TURNED_AWAY_SECONDS = 0.2
"""Until whoever was refused for now asks again."""

Environment = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Came:
    """What one part came to. `whole`: the log computes to its signed checkpoint."""

    joined: Joined
    entries: int
    whole: bool
    trouble: Trouble
    received: Sequence[Received]

    def during(self, act: str) -> list[Received]:
        """Answers that were asked for and given while this act lasted."""
        return [
            one
            for one in self.received
            for span in self.trouble.spans
            if span.act == act and one.began > span.began and one.began + one.seconds < span.ended
        ]


class Scene:
    """The players, at their work as long as a part lasts."""

    def __init__(self, on: Ground) -> None:
        self.on, self.aviary, self.kept = on, Aviary(), Kept()
        self.players = cast(on, self.aviary, self.kept)
        self.dpo = on.sign_in(POLICING_BODY, "partnership_dpo")
        self.key = str(self.dpo.get("/audit/keys")["items"][-1]["verifier_key"])
        self.cases = _cases(self.players)
        self.environment: Environment = ENVIRONMENT

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Everybody at work meanwhile; nothing of before counts any more."""
        self.kept.begin()
        for one in self.players.lookers:
            one.begin()
        stop = threading.Event()
        with _at_work(self._threads(stop), stop):
            yield

    def play(
        self, wanted: int, trouble: Trouble, *, longest: float, acts: int = 0, patience: float = PROMISED
    ) -> Came:
        """Until `wanted` disclosures, and as many acts of trouble, or `longest`. An entry that is not in the
        log then is missing after `patience` seconds."""
        calm, began, first = threading.Event(), time.monotonic(), self.players.hook.got
        with self.playing(), _at_work([_thread(trouble.run, calm)], calm):
            while time.monotonic() - began < longest:
                if self.kept.disclosures >= wanted and len(trouble.done) >= acts:
                    break
                time.sleep(0.1)
        return self.came(trouble, patience, first)

    def came(self, trouble: Trouble, patience: float, first: int) -> Came:
        """As soon as nothing is missing any more, or after `patience`. `first`: pushes that came before."""
        give_up, last = time.monotonic() + patience, self.players.hook.got
        pushes = self.players.hook.pushed(first, last)
        while True:
            self.caught_up()
            entries, whole = self._log()
            stood = spans(self.kept.wrote, entries)
            joined = join(self.kept.received, entries, self.aviary.canary, stood, self._ran_again())
            join_pushes(pushes, entries, joined)
            if not joined.missing or time.monotonic() > give_up:
                return Came(joined, len(entries), whole, trouble, self.kept.received)
            time.sleep(1.0)

    def _ran_again(self) -> set[str]:
        """Requests of which a process says that it made a call more than once, or that the broker brought it
        a command again."""
        found: set[str] = set()
        for file in self.on.cell.places.logs.glob("*.log*"):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if any(said in line for said in RAN_AGAIN):
                    found.add(str(json.loads(line)["request_id"]))
        return found

    def restart(
        self,
        commands: Mapping[str, Sequence[str]] | None = None,
        environment: Environment | None = None,
    ) -> None:
        """Services as they are, or with a fault or other settings: those that this changes start anew."""
        if environment is not None:
            self.environment = environment
        merged = {name: dict(values) for name, values in demo.ENVIRONMENT.items()}
        for name, values in self.environment.items():
            merged.setdefault(name, {}).update(values)
        plan = self.on.cell.plan
        root = self.on.cell.places.root
        Cell(root, usual(2), cluster=plan.cluster, environment=merged, commands=commands).up()

    def caught_up(self) -> None:
        """Return when the log has all that was recorded before: its queue keeps the order, and what is
        recorded of this very request comes last."""
        last = self.dpo.send("GET", "/me/consultations?limit=1").headers["Consultation"]

        def there() -> bool:
            try:
                self.dpo.get(f"/audit/entries/{last}")
            except (Refusal, httpx.HTTPError):
                return False
            return True

        until(there, seconds=PROMISED, every=0.5)

    def _threads(self, stop: threading.Event) -> list[threading.Thread]:
        players = self.players
        return [
            _thread(_write, players.author, players.guest_id, self.cases, stop),
            *(_thread(_look, one, self.cases, seed, stop) for seed, one in enumerate(players.lookers)),
            *(_thread(one.run, stop) for one in players.watchers),
        ]

    def _log(self) -> tuple[list[Logged], bool]:
        """Every entry, and whether a verifier that knows the log's key accepts the export."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "export"
            until(lambda: self._exported(file), seconds=90, every=1.0)
            with file.open(encoding="utf-8") as lines:
                rows = (json.loads(line) for line in lines)
                entries = [logged(json.loads(row["detail"])) for row in rows if row.get("detail")]
            return entries, verify(file, self.key).returncode == 0

    def _exported(self, file: Path) -> bool:
        try:
            export(self.dpo, file)
        except (AssertionError, httpx.HTTPError):
            return False
        return True


def _thread(run: object, *arguments: object) -> threading.Thread:
    return threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]


@contextmanager
def _at_work(threads: Sequence[threading.Thread], stop: threading.Event) -> Iterator[None]:
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


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


def _write(author: Author, guest_id: str, cases: list[Case], stop: threading.Event) -> None:
    chance = random.Random(1)
    while not stop.wait(0.1):
        author.act(chance.choice(cases), chance, guest_id)


def _look(looker: Looking, cases: list[Case], seed: int, stop: threading.Event) -> None:
    chance = random.Random(seed)
    while not stop.is_set():
        looker.look(chance.choice(cases), chance)
        if looker.turned_away:
            stop.wait(TURNED_AWAY_SECONDS)
