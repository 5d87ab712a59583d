"""Processes of a cell, found by name or kind, killed and made to stand still; the disk of one emptied."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path

from deploy.launcher.cell import Cell
from deploy.launcher.programs import Kind, Process
from tests.waiting import until


def running(cell: Cell, kind: Kind, service: str = "") -> list[Process]:
    """Those of this kind, of this service if one is named, that run now. Raises LookupError for none."""
    found = [
        one
        for one in cell.processes().values()
        if one.kind == kind and one.pid and one.name.startswith(service)
    ]
    if not found:
        raise LookupError(f"no {service or kind} runs")
    return found


def kill_for_good(cell: Cell, name: str) -> None:
    """kill -9, and nobody starts it again: frozen, it cannot hear the supervisor's polite request."""
    pid = cell.processes()[name].pid
    if not pid:
        raise LookupError(f"{name} does not run")
    os.kill(pid, signal.SIGSTOP)
    asking = threading.Thread(target=cell.stop, args=(name,))
    asking.start()
    give_up = time.monotonic() + 5
    while cell.processes()[name].state == "RUNNING" and time.monotonic() < give_up:
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    asking.join()


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def lose_disk(cell: Cell, node: str) -> None:
    """A node of the broker is killed, and starts again with an empty disk; it may not be ready yet."""
    kill_for_good(cell, node)
    folder = cell.places.data(node, cluster=cell.plan.cluster)
    for one in folder.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    cell.supervisor.launch(node)


def joined(cell: Cell, seconds: float) -> None:
    """Wait until every node of the broker runs in its cluster, and every queue has all its members there."""
    nodes = sum(kind == "broker" for kind in cell.plan.kinds().values())

    def whole() -> bool:
        api = cell.operator_api
        if not api.answers() or len(api.running_nodes()) < nodes:
            return False
        return all(len(one.get("online", ())) == nodes for one in api.queues() if one["type"] == "quorum")

    until(whole, seconds=seconds, every=0.3)
