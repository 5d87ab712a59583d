"""`make check-access`: who may see what, decided twice, by the product and by the paper. SHORT=1 for CI.

In process: random worlds, every user x case x section x action, and `explain` and `access` of them. Before
that the comparison has to find faults that are planted in the rule. Then through the API of a real system:
cases are given and taken at random, and after each round everybody asks for everything on every channel.
"""

from __future__ import annotations

import os
import sys
import time

from rich.console import Console

from tests.bench.figures import Report
from tests.bench.table import show_figures
from tests.checks.access import inprocess, live
from tests.checks.access.planted import FAULTS
from tests.checks.access.scene import build
from tests.checks.ground import ground, usual

SHORT = bool(os.environ.get("SHORT"))
WORLDS = 100 if SHORT else 1_000
ROUNDS, CASES, CHANGES, LOOKS_BACK = (1, 4, 25, 40) if SHORT else (12, 12, 40, 60)
LEAST = 1_000 if SHORT else 50_000
SEED = 53

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    report = Report("check-access")
    in_process(report)
    over_http(report)
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


def over_http(report: Report) -> None:
    seen, moments = live.Seen(), list[live.Moment]()
    # Everybody asks for cases that it may not know of: that is the point here, and no attack.
    with ground(usual(), environment={"gateway": {"CONCORDAT_CASE_404S": "1000000"}}) as on:
        scene = build(on, CASES, SEED)
        for _ in range(ROUNDS):
            for _ in range(CHANGES):
                scene.act()
            moments.append(live.look(scene, seen))
        for _ in range(CHANGES):
            scene.act()
        awake = live.Seen()
        live.look_wrongly(scene, awake)
        back = live.Seen()
        live.look_back(scene, moments, back, LOOKS_BACK)
    for line in [*seen.differ[:20], *back.differ[:20]]:
        console.print(f"MISMATCH {line}")
    for channel, count in sorted(seen.by_channel.items()):
        console.print(f"{channel:24} {count:7,}")
    report.add("cells over HTTP", seen.cells, "", f">= {LEAST}")
    report.add("cells over HTTP that differ", len(seen.differ), "", "== 0")
    report.add("cells that differ where the paper was told wrongly", len(awake.differ), "", ">= 1")
    report.add("explanations of past instants", back.cells, "", f">= {ROUNDS * LOOKS_BACK}")
    report.add("explanations of past instants that differ", len(back.differ), "", "== 0")


if __name__ == "__main__":
    sys.exit(main())
