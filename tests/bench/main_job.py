"""`make bench`: what the main job costs, over HTTP, on the whole system.

Each operation runs with 1 and with 16 clients. CPU is that of the services and the gateway for each
operation; broker and database are stated apart. SHORT=1 takes less time and fewer cases.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from deploy.demo import story
from deploy.demo.api import Api
from deploy.launcher.trouble import Trouble
from tests.bench import load, table
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report
from tests.bench.load import Answers, request
from tests.checks.ground import Ground, ground
from tests.journey.steps import POLICE

SHORT = bool(os.environ.get("SHORT"))
SECONDS = 2.0 if SHORT else 6.0
CASES = 100 if SHORT else 1000
MANY = 16


@dataclass(frozen=True)
class Operation:
    """What is done, and what is asked of it at 16 clients."""

    name: str
    make: load.MakeRequest
    rate: str | None = None
    cpu_ms: str | None = None


@dataclass(frozen=True)
class Taken:
    """One row: an operation with some clients."""

    name: str
    clients: int
    answers: Answers
    own_ms: float
    parts_ms: float

    def row(self) -> tuple[str, ...]:
        return (
            self.name,
            str(self.clients),
            f"{self.answers.rate:,.0f}",
            f"{self.answers.percentile(0.5):.2f}",
            f"{self.answers.percentile(0.99):.2f}",
            f"{self.own_ms:.2f}",
            f"{self.parts_ms:.2f}",
            str(self.answers.wrong),
        )


class Bench:
    """The officer's requests, and the processes that they cost."""

    def __init__(self, on: Ground) -> None:
        self.on, self.report = on, Report("bench")
        self.officer: Api = on.sign_in(POLICE, "practitioner")
        team = self.officer.get("/me")["teams"][0]["id"]
        tale = story.fresh()
        about = story.subjects(self.officer, team, tale)
        self.case = story.open_case(self.officer, team, tale, about)
        self.created = json.dumps(
            {
                "template": "complex_asb",
                "title": "Benchmark",
                "priority": "low",
                "marking": "official",
                "owner_team_id": team,
                "subjects": [{"subject_id": about["victim"], "role": "victim"}],
            }
        ).encode()
        self.rows: list[Taken] = []
        self._filled: Iterator[str] = cycle([self.case["id"]])

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.officer.token}", **more}

    def operations(self) -> list[Operation]:
        api, case = "/api/v1", f"/api/v1/cases/{self.case['id']}"
        note = json.dumps({"type": "note", "occurred_at": self.case["created_at"], "text": "Note " * 20})
        read = request("GET", case, self.headers())
        listed = request("GET", f"{api}/cases?mine=owned", self.headers())
        cookie = {"Cookie": f"concordat={self.officer.token}"}
        page = request("GET", f"/cases/{self.case['id']}", cookie)

        def keyed(path: str, body: bytes) -> load.MakeRequest:
            return lambda _: request(
                "POST", path, self.headers(**{"Idempotency-Key": uuid.uuid4().hex}), body
            )

        def noted(_: int) -> bytes:
            return keyed(f"{api}/cases/{next(self._filled)}/entries", note.encode())(0)

        return [
            Operation("case create", keyed(f"{api}/cases", self.created), ">= 100"),
            Operation("case read", lambda _: read, ">= 450", "<= 3"),
            Operation("case list, 25", lambda _: listed, ">= 170"),
            Operation("note add", noted, ">= 200"),
            Operation("note add, one case", keyed(f"{case}/entries", note.encode())),
            Operation("case page", lambda _: page, None, "<= 25"),
        ]

    def fill(self) -> None:
        """As many cases as the list is to be taken from; notes are added to them in turn. Raises Trouble."""
        made = load.run(
            self.on.url, self.operations()[0].make, clients=8, seconds=600, limit=CASES, keep=True
        )
        self._filled = cycle([json.loads(body)["id"] for body in made.bodies])
        self._look()

    def _look(self) -> None:
        """That what is measured is what is meant. Raises Trouble."""
        shown = {
            one.name: load.run(self.on.url, one.make, clients=1, seconds=9, limit=1, keep=True)
            for one in self.operations()
        }
        if any(answers.wrong for answers in shown.values()):
            raise Trouble(f"Not answered: {', '.join(name for name, one in shown.items() if one.wrong)}.")
        listed = json.loads(shown["case list, 25"].bodies[0])
        if len(listed["items"]) != 25 or not listed["next"]:
            raise Trouble("The list is not a page of 25 of many.")
        page = shown["case page"].bodies[0].decode()
        if self.case["reference"] not in page or "Fireworks" not in page:
            raise Trouble("The page is not that of the case.")

    def take(self, operation: Operation, clients: int) -> None:
        load.run(self.on.url, operation.make, clients=clients, seconds=0.5)
        before = self._cpu()
        answers = load.run(self.on.url, operation.make, clients=clients, seconds=SECONDS)
        own, parts = (now - then for now, then in zip(self._cpu(), before, strict=True))
        done = max(1, len(answers.seconds))
        taken = Taken(operation.name, clients, answers, own / done * 1000, parts / done * 1000)
        self.rows.append(taken)
        self._figures(operation, taken)

    def memory(self) -> float:
        """MiB resident, of services and gateway."""
        pids = [pid for kind in ("service", "gateway") for pid in self._pids(kind)]
        return sum(_resident(pid) for pid in pids) / 1024

    def _figures(self, operation: Operation, taken: Taken) -> None:
        many = taken.clients == MANY
        name = f"{taken.name}, {taken.clients} clients"
        self.report.add(f"{name}: rate", taken.answers.rate, "/s", operation.rate if many else None)
        self.report.add(
            f"{name}: CPU of services and gateway", taken.own_ms, "ms", operation.cpu_ms if many else None
        )
        self.report.add(f"{name}: CPU of broker and database", taken.parts_ms, "ms")
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            self.report.add(f"{name}: {label}", taken.answers.percentile(share), "ms")
        self.report.add(f"{name}: not answered as wanted", taken.answers.wrong, "answers", "== 0")

    def _cpu(self) -> tuple[float, float]:
        own = seconds_used(pid for kind in ("service", "gateway") for pid in self._pids(kind))
        parts = seconds_used(pid for kind in ("broker", "database") for pid in self._pids(kind))
        return own, parts

    def _pids(self, kind: str) -> list[int]:
        return [one.pid for one in self.on.cell.processes().values() if one.kind == kind]


def _resident(pid: int) -> int:
    """KiB of a process and of its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return own + sum(_resident(int(child)) for child in children)


def main() -> int:
    """Words on the command line choose operations by their names."""
    words = sys.argv[1:]
    with ground() as on:
        bench = Bench(on)
        bench.fill()
        for operation in bench.operations():
            if not words or any(word in operation.name for word in words):
                for clients in (1, MANY):
                    bench.take(operation, clients)
        bench.report.add("memory of all own processes", bench.memory(), "MiB", "<= 500")
    columns = ("operation", "clients", "/s", "p50 ms", "p99 ms", "own CPU ms", "broker+database ms", "wrong")
    table.show(f"the main job, {CASES} cases", columns, [row.row() for row in bench.rows])
    table.show_figures(bench.report)
    print(bench.report.write())
    return 0


if __name__ == "__main__":
    sys.exit(main())
