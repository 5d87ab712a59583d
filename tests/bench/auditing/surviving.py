"""What each of the two ways survives: every fault of docs/decisions/0013, done to real parts.

A holder answers reads; something goes wrong, and is mended; then every read that was answered is looked for
in the log. `lost`: answered, and never in it. `noticed`: of those, how many the log alarmed as missing.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.launcher.cell import Cell
from services.audit.stores.tree import append_only
from services.contracts.directory import RECORDER
from tests.bench.auditing.holding import HOLDER, OUTBOX
from tests.bench.figures import Report
from tests.breaking import lose_disk, running
from tests.cell import running as started
from tests.eventlet_process import ChildProcess
from tests.rabbitmqctl import rabbitmqctl
from tests.waiting import until

WAYS = ("broker", "outbox")
ENOUGH, MENDED_SECONDS, NOTICED_SECONDS = 100, 60.0, 120.0
REFUSED_WITHIN = "<= 5"
HOLDING, RELAYING = "tests.bench.auditing.holding:hold", "tests.bench.auditing.holding:relay"


@dataclass
class Scene:
    """One holder, going one way."""

    cell: Cell
    way: str
    log: Any
    """Audit's database."""
    holder: ChildProcess
    answered: Path
    refused: Path

    def ids(self) -> list[str]:
        return self.answered.read_text().split()

    def refusals(self) -> list[float]:
        return [float(line) for line in self.refused.read_text().split()]

    def answers(self, more: int = ENOUGH) -> None:
        """Wait for so many more answers."""
        before = len(self.ids())
        until(lambda: len(self.ids()) >= before + more, seconds=30)

    def goes_on(self) -> tuple[int, int]:
        """Answers and refusals from now until there are enough of either."""
        yes, no = len(self.ids()), len(self.refusals())
        until(lambda: len(self.ids()) >= yes + ENOUGH or len(self.refusals()) >= no + 3, seconds=60)
        return len(self.ids()) - yes, len(self.refusals()) - no

    def kill(self) -> None:
        os.kill(self.holder.pid, signal.SIGKILL)

    def missing(self, ids: list[str]) -> set[str]:
        rows = append_only(self.log)["leaves"].find({"id": {"$in": ids}}, {"_id": 0, "id": 1})
        return set(ids) - {row["id"] for row in rows}

    def alarmed(self) -> int:
        """How many numbers the log has told of as missing."""
        return sum(row["last"] - int(row["_id"].rpartition("/")[2]) + 1 for row in self.log["gaps"].find())


Fault = Callable[[Scene], tuple[int, int]]
"""Does it, says how many reads were answered and refused meanwhile, and mends it."""


def holder_killed(scene: Scene) -> tuple[int, int]:
    scene.kill()
    return 0, 0


def audit_down(scene: Scene) -> tuple[int, int]:
    (one,) = running(scene.cell, "service", RECORDER)
    scene.cell.stop(one.name)
    found = scene.goes_on()
    scene.cell.start(one.name)
    return found


def broker_down(scene: Scene) -> tuple[int, int]:
    (one,) = running(scene.cell, "broker")
    scene.cell.stop(one.name)
    found = scene.goes_on()
    scene.cell.start(one.name)
    return found


def broker_refuses(scene: Scene) -> tuple[int, int]:
    """Its disk is as good as full: it takes nothing from those who publish."""
    rabbitmqctl(scene.cell, "set_disk_free_limit", "100000GB")
    found = scene.goes_on()
    rabbitmqctl(scene.cell, "set_disk_free_limit", "50MB")
    return found


def database_down(scene: Scene) -> tuple[int, int]:
    (one,) = running(scene.cell, "database")
    scene.cell.stop(one.name)
    found = scene.goes_on()
    scene.cell.start(one.name)
    return found


def broker_loses_its_disk(scene: Scene) -> tuple[int, int]:
    """While `audit` is down, so that the broker holds what was answered meanwhile."""
    (audit,) = running(scene.cell, "service", RECORDER)
    (broker,) = running(scene.cell, "broker")
    scene.cell.stop(audit.name)
    scene.answers()
    if scene.way == "outbox":
        rows = scene.log.client[HOLDER][OUTBOX]
        until(lambda: rows.count_documents({"sent": True}) >= len(scene.ids()) - ENOUGH // 2, seconds=30)
    lose_disk(scene.cell, broker.name)
    found = scene.goes_on()
    scene.cell.up()  # what an operator does: it declares users and queues again, and starts `audit`
    scene.answers()
    return found


FAULTS: tuple[Fault, ...] = (
    holder_killed,
    audit_down,
    broker_down,
    broker_refuses,
    database_down,
    broker_loses_its_disk,
)


def survive(report: Report) -> None:
    for fault in FAULTS:
        for way in WAYS:
            with _scene(way) as scene:
                _try(report, fault, scene)


def _try(report: Report, fault: Fault, scene: Scene) -> None:
    name = f"{fault.__name__.replace('_', ' ')}, by {scene.way}"
    print(f"  {name}", flush=True)
    scene.answers()
    before = len(scene.refusals())
    yes, no = fault(scene)
    if fault is not holder_killed:
        scene.answers()
    slowest = max(scene.refusals()[before:], default=0.0)
    if fault is not broker_loses_its_disk and scene.holder.pid:
        scene.kill()
    ids = scene.ids()
    with suppress(AssertionError):
        until(lambda: not scene.missing(ids), seconds=MENDED_SECONDS)
    lost = len(scene.missing(ids))
    report.add(f"{name}: reads answered meanwhile", yes, "")
    report.add(f"{name}: reads refused meanwhile", no, "")
    report.add(
        f"{name}: the slowest refusal", slowest, "s", REFUSED_WITHIN if scene.way == "broker" else None
    )
    report.add(f"{name}: answered and not in the log", lost, "", None if "disk" in name else "== 0")
    if lost:
        with suppress(AssertionError):
            until(lambda: scene.alarmed() >= lost, seconds=NOTICED_SECONDS)
        report.add(f"{name}: of these, told of as missing", min(lost, scene.alarmed()), "")


@contextmanager
def _scene(way: str) -> Iterator[Scene]:
    with started({RECORDER: 1}) as cell, tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        operator = stack.enter_context(
            MongoClient[dict[str, Any]](cell.mongo_url("operator"), serverSelectionTimeoutMS=30_000)
        )
        rabbit, mongo = cell.rabbitmq_url(HOLDER), cell.mongo_url(HOLDER)
        answered, refused = Path(folder) / "answered", Path(folder) / "refused"
        answered.touch()
        refused.touch()
        holder = ChildProcess(
            HOLDING,
            way=way,
            rabbit=rabbit,
            mongo=mongo,
            keys_dir=str(cell.keys_dir),
            answered=str(answered),
            refused=str(refused),
        )
        stack.enter_context(holder)
        if way == "outbox":
            stack.enter_context(ChildProcess(RELAYING, rabbit=rabbit, mongo=mongo))
        yield Scene(cell, way, operator[RECORDER], holder, answered, refused)
