"""`make bench-audit`: what the log costs: intake to checkpoint, proofs as it grows, questions at a million
entries; and a record's way through the broker beside the same record in the holder's own database.

CPU is of the processes named; the database's is stated apart. SHORT=1: 20,000 entries instead of 1,000,000.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import amqp
import structlog
from pymongo import MongoClient

from deploy.launcher.trouble import Trouble
from services.audit.domain import merkle
from services.audit.domain.lookups import Search
from services.audit.domain.notes import Signer
from services.audit.stores import finding
from services.audit.stores.entries import EntryStore
from services.audit.stores.tree import TreeStore, append_only
from services.audit.stores.writer import STEPS, LogWriter
from services.chassis import logkeys
from services.chassis.migrations import migrate
from services.chassis.mongo import connect
from services.chassis.recording import CONTEXT
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE, VHOST
from services.contracts.directory import RECORDER
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, Object, Record
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report
from tests.cell import running

SHORT = bool(os.environ.get("SHORT"))
TOTAL = 20_000 if SHORT else 1_000_000
STEPS_OF_PROOFS = (1_000, 10_000, 20_000) if SHORT else (1_000, 100_000, 1_000_000)
BATCH = 500
BURST = 5_000 if SHORT else 20_000
PACED, PACE = (500, 200.0) if SHORT else (3_000, 200.0)
PROOFS, PAGES, PAGE = 200, 50, 25
ORIGIN = "concordat.local/log"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
USERS, AGENCIES, CASES, SUBJECTS = 600, 12, 20_000, 30_000
ACTIONS = ("case.read", "case.list", "entry.add", "share.create", "session.create", "task.change")


def made(number: int, total: int = TOTAL) -> Record:
    """One of a year's records: case work by many people, some of it refused, about cases and subjects."""
    agency = f"agency-{number % AGENCIES}"
    case = (number * 7919) % CASES
    return Record(
        id=new_event_id(),
        at=BEGIN + timedelta(seconds=number * 300 * 24 * 3600 // total),
        actor=Actor(kind="user", id=f"user-{number % USERS}", agency_id=agency),
        action=ACTIONS[number % len(ACTIONS)],
        operation="consultation",
        how="opened",
        objects=(
            Object(
                type="case", id=f"case-{case}", agency_id=f"agency-{case % AGENCIES}", sections=("summary",)
            ),
            Object(type="subject", id=f"subject-{case % SUBJECTS}"),
        ),
        outcome="refused" if number % 97 == 0 else "shown",
        request_id=f"request-{number}",
        service="cases",
        publisher="bench",
        number=number + 1,
    )


@dataclass
class Filled:
    """A log in the database, written by the writer itself."""

    database: Any
    signer: Signer
    wrapping: logkeys.WrappingKeys

    def __post_init__(self) -> None:
        migrate(self.database, STEPS, holder="bench")
        self.writer = LogWriter(self.database, lambda: self.wrapping)
        self.tree, self.entries = TreeStore(self.database), EntryStore(self.database, lambda: self.wrapping)
        self.size = 0

    def grow_to(self, size: int) -> None:
        while self.size < size:
            end = min(size, self.size + BATCH)
            self.writer.append([made(number) for number in range(self.size, end)], self.signer, again=False)
            self.size = end

    def prove(self, number: int) -> None:
        """What an inclusion and a consistency proof take, as the service makes them."""
        index = (number * 7919) % self.size
        for ranges in (merkle.inclusion(index, self.size), merkle.consistency(index + 1, self.size)):
            merkle.hashes(ranges, self.tree.hashes(merkle.nodes(ranges)).__getitem__)


def cpu_ms(count: int, do: Callable[[int], object]) -> float:
    """Of this process, for each."""
    do(0)
    begin = time.process_time()
    for number in range(count):
        do(number)
    return (time.process_time() - begin) * 1000 / count


def questions() -> Iterator[tuple[str, Search]]:
    yield "by case", Search(each=(("c:case-77",),))
    yield "by subject", Search(each=(("s:subject-77",),))
    yield "by user", Search(each=(("p:user-77",),))
    yield "by agency", Search(each=(("d:agency-7",),))
    yield "by time", Search(since=BEGIN + timedelta(days=100), until=BEGIN + timedelta(days=101))
    yield "by action", Search(each=(("x:case.read",),))
    yield "refused, by agency", Search(each=(("a:agency-7|refused",), ("o:refused",)))
    since = BEGIN + timedelta(days=200)
    yield "who looked at this case since", Search(each=(("c:case-77",),), since=since, looks=True)


def examined(filled: Filled, search: Search) -> tuple[int, int]:
    """(documents examined, returned) of a first page, as the database explains it."""
    command = {
        "find": "entries",
        "filter": finding.filter_of(search, None),
        "sort": dict(finding.NEWEST),
        "limit": PAGE + 1,
        "hint": "found" if search.each else "time",
    }
    told = filled.database.command("explain", command, verbosity="executionStats")["executionStats"]
    return int(told["totalDocsExamined"]), int(told["nReturned"])


def ask(report: Report, filled: Filled) -> None:
    for name, search in questions():
        begin = time.perf_counter()
        cpu = cpu_ms(PAGES, lambda _, search=search: filled.entries.newest(search, PAGE + 1, None))
        wall = (time.perf_counter() - begin) * 1000 / (PAGES + 1)
        looked, found = examined(filled, search)
        report.add(f"{name}: first page, CPU", cpu, "ms", "<= 50")
        report.add(f"{name}: first page, time", wall, "ms")
        report.add(f"{name}: documents examined per returned", looked / max(1, found), "", "<= 3")


def fill(report: Report, cell: Any) -> None:
    client = connect(cell.mongo_url(RECORDER), app="bench")
    signer = Signer(ORIGIN, logkeys.read(cell.keys_dir, ORIGIN).current())
    filled = Filled(client[RECORDER], signer, logkeys.read_wrapping(cell.keys_dir))
    mongod = [process.pid for process in cell.processes().values() if process.kind == "database"]
    for size in STEPS_OF_PROOFS:
        before, own, theirs, begin = filled.size, time.process_time(), seconds_used(mongod), time.monotonic()
        filled.grow_to(size)
        count = size - before
        print(f"  {size:,} entries after {time.monotonic() - begin:,.0f} s", flush=True)
        if count >= TOTAL // 2:
            report.add("writer alone: entries/s", count / (time.monotonic() - begin), "/s")
            report.add("writer alone: own CPU an entry", (time.process_time() - own) * 1e6 / count, "us")
            report.add(
                "writer alone: mongod's CPU an entry", (seconds_used(mongod) - theirs) * 1e6 / count, "us"
            )
        # Two proofs each: inclusion and consistency.
        target = "<= 1" if size == STEPS_OF_PROOFS[-1] else None
        report.add(f"proof at {size:,} entries, CPU", cpu_ms(PROOFS, filled.prove) / 2, "ms", target)
    ask(report, filled)
    client.close()


class Publisher:
    """A holder without a service around it: seals, numbers, publishes, waits for confirms or not."""

    def __init__(self, cell: Any) -> None:
        url = cell.rabbitmq_url("cases").removeprefix("amqp://")
        account, _, place = url.partition("@")
        user, _, password = account.partition(":")
        host = place.partition("/")[0]
        self._connection = amqp.Connection(
            host, userid=user, password=password, virtual_host=VHOST, confirm_publish=False
        )
        self._connection.connect()
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._keyring, self.publisher, self.number = Keyring(cell.keys_dir, "cases"), uuid.uuid4().hex, 0

    def sealed(self, record: Record) -> bytes:
        self.number += 1
        told = {"service": "cases", "publisher": self.publisher, "number": self.number}
        body = record.model_copy(update=told).model_dump_json().encode()
        return self._keyring.seal(RECORDER, body, 0, CONTEXT)

    def publish(self, body: bytes) -> None:
        message = amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)
        self._channel.basic_publish(message, exchange=INTAKE, routing_key=INTAKE, mandatory=True)

    def confirmed(self, body: bytes) -> None:
        self.publish(body)
        self._channel.wait(amqp.spec.Basic.Ack)

    def drain(self, count: int) -> None:
        """Wait until so many are confirmed: one acknowledgement may be of several."""
        last = 0
        while last < count:
            tag, _multiple = self._channel.wait(amqp.spec.Basic.Ack)
            last = max(last, tag)

    def close(self) -> None:
        self._connection.close()


def now_record(number: int) -> Record:
    return made(number).model_copy(update={"at": datetime.now(UTC)})


def intake(report: Report, cell: Any) -> None:
    """From the broker to a signed checkpoint, by the service itself."""
    with MongoClient[dict[str, Any]](cell.mongo_url("operator"), tz_aware=True) as client:
        log = append_only(client[RECORDER])
        processes = cell.processes()
        audit, mongod, rabbit = (
            [one.pid for one in processes.values() if one.name == "audit-1"],
            [one.pid for one in processes.values() if one.kind == "database"],
            [one.pid for one in processes.values() if one.kind == "broker"],
        )
        publisher = Publisher(cell)
        bodies = [publisher.sealed(now_record(number)) for number in range(BURST)]
        before = log["leaves"].estimated_document_count()
        used = [seconds_used(pids) for pids in (audit, mongod, rabbit)]
        begin = time.monotonic()
        for body in bodies:
            publisher.publish(body)
        _until_signed(log, before + BURST)
        seconds = time.monotonic() - begin
        spent = [seconds_used(pids) - was for pids, was in zip((audit, mongod, rabbit), used, strict=True)]
        publisher.close()
        report.add("intake to checkpoint: entries/s sustained", BURST / seconds, "/s", ">= 2000")
        for name, one in zip(("audit", "mongod", "broker"), spent, strict=True):
            report.add(f"intake to checkpoint: CPU of {name} an entry", one * 1e6 / BURST, "us")
        latencies = sorted(_paced(cell, log))
        report.add("confirm to checkpoint, p50", latencies[len(latencies) // 2], "ms")
        report.add("confirm to checkpoint, p99", latencies[int(len(latencies) * 0.99)], "ms")


def _until_signed(log: Any, size: int) -> None:
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up:
        newest = log["checkpoints"].find_one(sort=[("_id", -1)])
        if newest is not None and newest["_id"] >= size:
            return
        time.sleep(0.02)
    raise Trouble("The log did not take the records within 300 s.")


def _paced(cell: Any, log: Any) -> Iterator[float]:
    """Milliseconds from each confirm to the signature of the first checkpoint over its entry."""
    publisher, confirmed = Publisher(cell), {}
    before = log["leaves"].estimated_document_count()
    begin = time.monotonic()
    for number in range(PACED):
        record = now_record(number)
        publisher.confirmed(publisher.sealed(record))
        confirmed[record.id] = datetime.now(UTC)
        time.sleep(max(0.0, begin + number / PACE - time.monotonic()))
    _until_signed(log, before + PACED)
    publisher.close()
    checkpoints = list(log["checkpoints"].find({"_id": {"$gt": before}}, {"at": 1}).sort("_id", 1))
    place = 0
    for row in log["leaves"].find({"_id": {"$gte": before}}, {"id": 1}).sort("_id", 1):
        while checkpoints[place]["_id"] <= row["_id"]:
            place += 1
        if row["id"] in confirmed:
            yield max(0.0, (checkpoints[place]["at"] - confirmed[row["id"]]).total_seconds() * 1000)


def compare(report: Report, cell: Any) -> None:
    """A holder waits for: the broker's confirm, or a majority write into its own database."""
    count = 300 if SHORT else 1500
    publisher = Publisher(cell)
    client = connect(cell.mongo_url("cases"), app="bench")
    outbox = client["cases"]["bench_outbox"]
    bodies = [publisher.sealed(now_record(number)) for number in range(2 * count)]
    times: dict[str, list[float]] = {"broker": [], "outbox": []}
    cpu = dict.fromkeys(times, 0.0)
    parts = [one.pid for one in cell.processes().values() if one.kind in ("database", "broker")]
    others = dict.fromkeys(times, 0.0)
    for turn in range(0, count, 100):  # alternately: the machine is not the same all the time
        for name, keep in (
            ("broker", publisher.confirmed),
            ("outbox", lambda body: outbox.insert_one({"_id": uuid.uuid4().hex, "body": body, "sent": None})),
        ):
            own, theirs = time.process_time(), seconds_used(parts)
            for body in bodies[turn : turn + 100]:
                begin = time.perf_counter()
                keep(body)
                times[name].append((time.perf_counter() - begin) * 1000)
            cpu[name] += time.process_time() - own
            others[name] += seconds_used(parts) - theirs
    outbox.drop()
    client.close()
    publisher.close()
    for name, found in times.items():
        found.sort()
        report.add(f"a record by {name}: p50", found[len(found) // 2], "ms")
        report.add(f"a record by {name}: p99", found[int(len(found) * 0.99)], "ms")
        report.add(f"a record by {name}: holder's CPU", cpu[name] * 1e6 / len(found), "us")
        report.add(f"a record by {name}: broker's and database's CPU", others[name] * 1e6 / len(found), "us")


def main() -> int:
    report = Report("bench-audit")
    # The writer, used here by itself, alarms that a year's records come late.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        with running({RECORDER: 1}) as cell:
            print("intake", flush=True)
            intake(report, cell)
            compare(report, cell)
        with running() as cell:
            print("a log of its own", flush=True)
            fill(report, cell)
    except Trouble as trouble:
        print(f"bench-audit: {trouble}", file=sys.stderr)
        return 1
    for found in report.figures:
        told = "" if found.target is None else f"  ({found.target}{'' if found.holds else ': does NOT hold'})"
        print(f"{found.name:60} {found.value:>12,.3f} {found.unit}{told}")
    print(f"steal {report.steal:.1%}; {report.write()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
