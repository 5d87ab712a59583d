"""`make bench-audit`: what the log costs: intake to checkpoint, proofs as it grows, questions at a million
entries; a record's way through the broker beside the same record in the holder's own database; and what each
of the two ways survives.

CPU is of the processes named; the database's is stated apart. SHORT=1: 20,000 entries instead of 1,000,000;
ENTRIES: so many.
ARGS names parts: costs, questions, faults; all of them by default.
"""

from __future__ import annotations

import sys

import structlog

from deploy.launcher.trouble import Trouble
from services.contracts.directory import RECORDER
from tests.bench.auditing.comparing import compare
from tests.bench.auditing.filling import fill
from tests.bench.auditing.surviving import survive
from tests.bench.auditing.taking_in import intake
from tests.bench.figures import Report
from tests.cell import running

PARTS = ("costs", "questions", "faults")


def main(arguments: list[str]) -> int:
    wanted = arguments or PARTS
    if unknown := set(wanted) - set(PARTS):
        print(f"bench-audit: no such part: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    report = Report("bench-audit")
    # The writer, used here by itself, alarms that a year's records come late.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        if "costs" in wanted:
            with running({RECORDER: 1}) as cell:
                intake(report, cell)
                compare(report, cell)
        if "questions" in wanted:
            with running() as cell:
                fill(report, cell)
        if "faults" in wanted:
            survive(report)
    except Trouble as trouble:
        print(f"bench-audit: {trouble}", file=sys.stderr)
        return 1
    for found in report.figures:
        told = "" if found.target is None else f"  ({found.target}{'' if found.holds else ': does NOT hold'})"
        print(f"{found.name:60} {found.value:>12,.3f} {found.unit}{told}")
    print(f"steal {report.steal:.1%}; {report.write()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
