"""A record's way through the broker, beside the same record in the holder's own database."""

from __future__ import annotations

import time
import uuid
from typing import Any

from services.chassis.mongo import connect
from tests.bench.auditing.log import SHORT
from tests.bench.auditing.publishing import Publisher, now_record
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report


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
