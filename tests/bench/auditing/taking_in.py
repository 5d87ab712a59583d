"""From the broker to a signed checkpoint, by the service itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from deploy.launcher.trouble import Trouble
from services.audit.stores.tree import append_only
from services.contracts.directory import RECORDER
from tests.bench.auditing.log import SHORT
from tests.bench.auditing.publishing import Publisher, now_record
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report

BURST = 5_000 if SHORT else 20_000
PACED, PACE = (500, 200.0) if SHORT else (3_000, 200.0)


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
