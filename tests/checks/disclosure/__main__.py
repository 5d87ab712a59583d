"""`make check-disclosure`: V3 and V6 while services, broker and database are killed, frozen and cut off.

First it must find each of four planted faults. Then missing, doubled, mismatched and leaked must be 0 while
fourteen sorts of things go wrong, in ≥ 2,000 disclosures with SHORT=1, in ≥ 20,000 without, on every channel
that shows case data. Without SHORT also: the broker's only disk is lost, and whatever is gone with it must be
told of; on three nodes of each a broker's disk is lost, and nothing may be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.launcher import credentials
from deploy.launcher.cell import Cell
from tests.bench.figures import Report
from tests.bench.table import show_figures
from tests.checks.acts import half_open
from tests.checks.disclosure import lost_disk, telling
from tests.checks.disclosure.leaks import Search
from tests.checks.disclosure.planted import PLANTED, Planted
from tests.checks.disclosure.scene import ENVIRONMENT, Environment, Scene
from tests.checks.ground import ground, usual
from tests.checks.trouble import Trouble
from tests.faults.proxy import Proxy

SHORT = bool(os.environ.get("SHORT"))
WANTED = 2_000 if SHORT else 20_000
LONGEST = 240.0 if SHORT else 2400.0
REST = (1.0, 2.0) if SHORT else (2.0, 4.0)
PROVING = 100
"""Disclosures in which a planted fault is looked for."""
PROVED_AFTER = 4
"""So often: whether two writers meet in one batch is a matter of a second."""
ON_A_CLUSTER = 500 if SHORT else 3_000
TROUBLES = (
    "two_writers",
    "kill_cases",
    "kill_gateway_worker",
    "half_open",
    "audit_dead",
    "kill_sharing",
    *(() if SHORT else ("writer_replaced",)),
    "freeze_database",
    "disk_alarm",
    "kill_notify",
    "freeze",
    "kill_audit",
    "kill_database",
    "freeze_cases",
    "kill_broker",
)
CLUSTER_TROUBLES = ("lose_node", "kill", "two_writers", "depose", "lose_node", "freeze_cases")
PARTS = ("planted", "main", "disk", "cluster")


def main() -> int:
    arguments = argparse.ArgumentParser(description="No log, no look: every disclosure has its entry.")
    arguments.add_argument("--only", choices=PARTS, action="append", help="may be repeated")
    parts = arguments.parse_args().only or (PARTS[:2] if SHORT else PARTS)
    report = Report("check-disclosure")
    if {"planted", "main", "disk"} & set(parts):
        with ground(usual(2), environment=ENVIRONMENT) as on:
            scene = Scene(on)
            for fault in PLANTED if "planted" in parts else ():
                _find(scene, fault, report)
            scene.restart()
            if "main" in parts:
                _main(scene, report)
            if "disk" in parts:
                telling.tell_lost(lost_disk.lose(scene, LONGEST), lost_disk.AFTERWARDS, report)
    if "cluster" in parts:
        with ground(usual(2), environment=ENVIRONMENT, cluster=True) as on:
            _on_a_cluster(Scene(on), report)
    show_figures(report)
    print(report.write())
    return 0 if report.holds else 1


def _find(scene: Scene, planted: Planted, report: Report) -> None:
    scene.restart(planted.commands)
    found, disclosures = 0, 0
    for seed in range(PROVED_AFTER):
        trouble = Trouble(scene.on.cell, seed=seed, rest=(1.5, 2.5), acts=planted.acts)
        came = scene.play(PROVING, trouble, longest=LONGEST, acts=planted.times, patience=0.0)
        found += len(getattr(came.joined, planted.found_as))
        disclosures += came.joined.disclosures
        if found:
            break
    telling.console.print(
        f"planted, {planted.fault}: {found} {planted.found_as} in {disclosures} disclosures"
    )
    report.add(f"planted, {planted.fault}: found", found, "times", ">= 1")


def _main(scene: Scene, report: Report) -> None:
    with _proxied(scene.on.cell) as (proxy, environment):
        scene.restart(environment=environment)
        trouble = Trouble(
            scene.on.cell, seed=3, rest=REST, acts=TROUBLES, more={"half_open": half_open(proxy)}
        )
        came = scene.play(WANTED, trouble, longest=LONGEST, acts=len(TROUBLES))
        telling.tell(came, WANTED, report)
        search = Search(scene.on.cell, scene.aviary.trace)
        leaked = [*scene.kept.leaks, *search.found()]
        telling.tell_main(came, leaked, search.files, len(TROUBLES), report)
        scene.restart(environment=ENVIRONMENT)


@contextmanager
def _proxied(cell: Cell) -> Iterator[tuple[Proxy, Environment]]:
    """The settings with which one `cases` reaches the broker through a proxy."""
    proxy = Proxy(cell.ports["rabbit"])
    url = cell.rabbitmq_url("cases").replace(f":{cell.ports['rabbit']}/", f":{proxy.port}/")
    file = credentials.write(cell.places.secrets / "cases" / "rabbitmq_url_by_proxy", url)
    try:
        yield proxy, {**ENVIRONMENT, "cases-1": {"RABBITMQ_URL_FILE": str(file)}}
    finally:
        proxy.close()


def _on_a_cluster(scene: Scene, report: Report) -> None:
    trouble = Trouble(scene.on.cell, seed=4, rest=(2.0, 4.0), acts=CLUSTER_TROUBLES)
    came = scene.play(ON_A_CLUSTER, trouble, longest=LONGEST, acts=len(CLUSTER_TROUBLES))
    telling.tell(came, ON_A_CLUSTER, report, "on a cluster: ")
    lost = sum("disk" in act for act in trouble.done)
    report.add("on a cluster: a broker node's disk lost", lost, "times", ">= 1")


if __name__ == "__main__":
    sys.exit(main())
