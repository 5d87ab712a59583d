"""What can be made to go wrong in a cell, each act by its name. An act ends when it is mended, but for
processes that their supervisor starts again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

import httpx
import pymongo
from pymongo.errors import PyMongoError

from deploy.launcher.cell import Cell
from deploy.launcher.programs import Kind, Process
from deploy.operator_api import ApiTrouble
from tests.breaking import children, joined, kill_for_good, lose_disk, running
from tests.faults.proxy import Proxy
from tests.freezing import freeze, still
from tests.rabbitmqctl import rabbitmqctl
from tests.waiting import until

Act = Callable[[Cell, random.Random], str]

FROZEN, DEAD = 2.0, 4.0
"""Seconds."""
DEPOSED_SECONDS = 6.0
"""Longer than an election takes, and as long as a request lives."""
NO_DISK, DISK = "100000GB", "50MB"
ALARM_SECONDS = 6.0
"""As long as an answer may take, and more."""
IN_HAND_AFTER, TOGETHER_AFTER = 0.4, 1.0
"""Seconds: less, together, than a batch may take; the second is longer than the broker needs to give it to
another."""
TAKEN_OVER_SECONDS = 30.0
"""Within which the other instance has the queue: the broker waits for two heartbeats."""


def kill(service: str = "") -> Act:
    """kill -9 one service process, of `service` if that is named; its supervisor starts another."""

    def act(cell: Cell, chance: random.Random) -> str:
        victim = chance.choice(running(cell, "service", service))
        os.kill(victim.pid, signal.SIGKILL)
        return f"kill -9 {victim.name.rpartition('-')[0]}"

    return act


def kill_part(kind: Kind) -> Act:
    """kill -9 a node; its supervisor starts it again, with what it has on its disk."""

    def act(cell: Cell, chance: random.Random) -> str:
        os.kill(chance.choice(running(cell, kind)).pid, signal.SIGKILL)
        return f"kill -9 {kind}"

    return act


def freeze_part(kind: Kind) -> Act:
    """Every node stands still."""

    def act(cell: Cell, chance: random.Random) -> str:
        with still([one.pid for one in running(cell, kind)]):
            time.sleep(FROZEN)
        return f"{kind} frozen {FROZEN:.0f} s"

    return act


def kill_gateway_worker(cell: Cell, chance: random.Random) -> str:
    """kill -9 the process that serves, a child of the one that its supervisor knows."""
    workers = children(chance.choice(running(cell, "gateway")).pid)
    if not workers:
        raise LookupError("no worker of the gateway runs")
    os.kill(min(workers), signal.SIGKILL)
    return "kill -9 gateway worker"


def freeze_cases(cell: Cell, chance: random.Random) -> str:
    """One of its instances stands still."""
    with still([chance.choice(running(cell, "service", "cases")).pid]):
        time.sleep(FROZEN)
    return f"one cases frozen {FROZEN:.0f} s"


def audit_dead(cell: Cell, chance: random.Random) -> str:
    """Nobody takes records for a while: the intake goes on confirming them."""
    names = [one.name for one in running(cell, "service", "audit")]
    try:
        for name in names:
            kill_for_good(cell, name)
        time.sleep(DEAD)
    finally:
        for name in names:
            cell.supervisor.launch(name)
    return f"every audit dead {DEAD:.0f} s"


def writer_replaced(cell: Cell, chance: random.Random) -> str:
    """Who writes the log stands still in the middle of a batch until the broker has missed its heartbeats and
    the other writes; then it goes on with what it has in hand and in memory."""
    with _stopped_in_a_batch(cell):
        size = _log_size(cell)
        until(lambda: _log_size(cell) > size, seconds=TAKEN_OVER_SECONDS, every=0.2)
    return "log's writer frozen until the other wrote"


def two_writers(cell: Cell, chance: random.Random) -> str:
    """The same, but the broker gives the batch to the other at once, and the first wakes in time to write it,
    too."""
    with _stopped_in_a_batch(cell, cut_off=True):
        time.sleep(TOGETHER_AFTER)
    return "two writers of one batch"


@contextmanager
def _stopped_in_a_batch(cell: Cell, *, cut_off: bool = False) -> Iterator[None]:
    """The writer stands still meanwhile. `cut_off`: the broker has closed its connections, which it does not
    see yet. Raises LookupError, AssertionError, ApiTrouble."""
    writer = _writer(cell)
    connections = _connections(cell, writer.name) if cut_off else []
    try:
        with still([one.pid for one in running(cell, "database")]):
            time.sleep(IN_HAND_AFTER)  # what was recorded before is in its hands, and cannot be written
            freeze(writer.pid)
        for name in connections:
            cell.operator_api.call("DELETE", f"connections/{quote(name, safe='')}")
        yield
    finally:
        os.kill(writer.pid, signal.SIGCONT)


def _connections(cell: Cell, instance: str) -> list[str]:
    """How the broker calls the connections on which a process is given messages."""
    found = cell.operator_api.call("GET", "connections")
    label = f"-{instance}-consuming"
    return [
        one["name"]
        for one in found
        if str(one["client_properties"].get("connection_name", "")).endswith(label)
    ]


def _writer(cell: Cell) -> Process:
    """The audit process whose records become entries. Raises LookupError, AssertionError."""
    seen: dict[int, float] = {}

    def growing() -> Process | None:
        for one in running(cell, "service", "audit"):
            now = _taken(one.port)
            if now > seen.setdefault(one.pid, now):
                return one
        return None

    return until(growing, seconds=10, every=0.1)


def _taken(port: int) -> float:
    """Records that an audit process has put into the log."""
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5, trust_env=False).text
    except httpx.HTTPError:
        return 0.0
    wanted = 'concordat_records_total{outcome="logged"}'
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted))


def _log_size(cell: Cell) -> int:
    try:
        with operator(cell) as client:
            row = client["audit"]["tree"].find_one({"_id": "log"})
    except PyMongoError:
        return 0  # it has just been woken
    return 0 if row is None else int(row["size"])


def disk_alarm(cell: Cell, chance: random.Random) -> str:
    """The broker has no room and takes no message: nothing may be shown."""
    nodes = [one.name for one in running(cell, "broker")]
    try:
        for node in nodes:
            rabbitmqctl(cell, "set_disk_free_limit", NO_DISK, node=node)
        until(lambda: _alarmed(cell), seconds=15, every=0.1)
        time.sleep(ALARM_SECONDS)
    finally:
        for node in nodes:
            rabbitmqctl(cell, "set_disk_free_limit", DISK, node=node)
    until(lambda: not _alarmed(cell), seconds=15, every=0.1)
    return "disk alarm"


def _alarmed(cell: Cell) -> bool:
    try:
        return bool(cell.operator_api.alarms())
    except ApiTrouble:
        return False


def half_open(proxy: Proxy) -> Act:
    """The present connections through the proxy pass nothing any more, and neither end is told."""

    def act(cell: Cell, chance: random.Random) -> str:
        if not proxy.half_open():
            raise LookupError("nobody is connected through the proxy")
        return "half-open TCP between cases and broker"

    return act


def depose(cell: Cell, chance: random.Random) -> str:
    """The primary stands still until another is elected and for a while after; it wakes up believing."""
    with deposed(cell):
        time.sleep(DEPOSED_SECONDS)
    return f"primary frozen {DEPOSED_SECONDS:.0f} s"


@contextmanager
def deposed(cell: Cell) -> Iterator[str]:
    """The primary stands still meanwhile; its name."""
    name = primary(cell)
    with still([cell.processes()[name].pid]):
        yield name


def primary(cell: Cell) -> str:
    """The name of the database's primary. Raises PyMongoError, LookupError."""
    with operator(cell) as client:
        client.admin.command("ping")
        port = client.primary[1] if client.primary else 0
    return [name for name, its in cell.ports.items() if its == port and "mongo" in name][0]  # noqa: RUF015


def operator(cell: Cell) -> pymongo.MongoClient:  # type: ignore[type-arg]
    return pymongo.MongoClient(cell.mongo_url("operator"), serverSelectionTimeoutMS=5000, timeoutMS=5000)


def lose_node(cell: Cell, chance: random.Random) -> str:
    """One of a cluster's broker nodes is killed and its disk emptied; it joins again, with every queue."""
    lose_disk(cell, chance.choice(running(cell, "broker")).name)
    joined(cell, seconds=90)
    return "disk of a broker node lost"


ACTS: Mapping[str, Act] = {
    "kill": kill(),
    "kill_cases": kill("cases"),
    "kill_sharing": kill("sharing"),
    "kill_audit": kill("audit"),
    "kill_notify": kill("notify"),
    "kill_gateway_worker": kill_gateway_worker,
    "freeze_cases": freeze_cases,
    "audit_dead": audit_dead,
    "two_writers": two_writers,
    "writer_replaced": writer_replaced,
    "freeze": freeze_part("broker"),
    "kill_broker": kill_part("broker"),
    "disk_alarm": disk_alarm,
    "freeze_database": freeze_part("database"),
    "kill_database": kill_part("database"),
    "depose": depose,
    "lose_node": lose_node,
}
"""`depose` and `lose_node` are for a cluster. `half_open` needs a proxy, and comes on top."""
