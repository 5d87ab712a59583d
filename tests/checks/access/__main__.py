"""`make check-access`: who may see what, decided twice, by the product and by the paper. SHORT=1 for CI.

In process: random worlds, every user x case x section x action, and `explain` and `access` of them. Before
that the comparison has to find faults that are planted in the rule.
"""

from __future__ import annotations

import os
import sys
import time

from rich.console import Console

from tests.bench.figures import Report
from tests.bench.table import show_figures
from tests.checks.access import inprocess
from tests.checks.access.planted import FAULTS

SHORT = bool(os.environ.get("SHORT"))
WORLDS = 100 if SHORT else 1_000

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    report = Report("check-access")
    in_process(report)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def in_process(report: Report) -> None:
    missed = inprocess.not_found()
    for name in missed:
        console.print(f"NOT FOUND {name}")
    report.add("planted faults", len(FAULTS), "", ">= 12")
    report.add("planted faults not found", len(missed), "", "== 0")
    began = time.process_time()
    found = inprocess.run(WORLDS)
    if found.first is not None:
        console.print(f"MISMATCH {found.first}")
    report.add("worlds", WORLDS, "", f">= {WORLDS}")
    report.add("cells decided twice", found.cells, "")
    report.add("cells that are allowed", found.told.get("allowed", 0), "", f">= {20 * WORLDS}")
    report.add("cells that differ", found.mismatches, "", "== 0")
    report.add("explanations", found.explained, "", f">= {10 * WORLDS}")
    report.add("explanations that differ", found.explained_wrong, "", "== 0")
    report.add("lists of who can see", found.lists, "", f">= {2 * WORLDS}")
    report.add("lists that differ", found.lists_wrong, "", "== 0")
    report.add("CPU of the worlds", time.process_time() - began, "s")


if __name__ == "__main__":
    sys.exit(main())
