"""The writer by itself, and proofs from the log as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from services.audit.domain.notes import Signer
from services.chassis import logkeys
from services.chassis.mongo import connect
from services.contracts.directory import RECORDER
from tests.bench.auditing.asking import ask
from tests.bench.auditing.log import ORIGIN, TOTAL, Filled
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report

STEPS_OF_PROOFS = (1_000, TOTAL // 10, TOTAL)
PROOFS = 200


def cpu_ms(count: int, do: Callable[[int], object]) -> float:
    """Of this process, for each."""
    do(0)
    begin = time.process_time()
    for number in range(count):
        do(number)
    return (time.process_time() - begin) * 1000 / count


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
    with connect(cell.mongo_url("operator"), app="bench") as operator:
        ask(report, filled, operator[RECORDER], mongod)
    client.close()
