"""What the tests of the database run in processes under eventlet (see tests/eventlet_process.py)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import eventlet
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.migrations import Step, migrate
from services.chassis.mongo import connect, linearizable, transact, within
from services.contracts.errors import ConcordatError
from tests.freezing import freeze


class Naps:
    """By how much naps of 5 ms were overslept, by the hub and by a thread that shares nothing with it."""

    def __init__(self) -> None:
        self.hub: list[float] = [0.0]
        self.machine: list[float] = [0.0]

    @property
    def longest_gap(self) -> float:
        """Seconds in which the hub stood still, beyond those in which the whole machine did."""
        return max(0.0, max(self.hub) - max(self.machine))


@contextmanager
def hub_watched() -> Iterator[Naps]:
    naps, over = Naps(), []

    def watch(kept: list[float], sleep: Callable[[float], None]) -> None:
        while not over:
            began = time.monotonic()
            sleep(0.005)
            kept.append(time.monotonic() - began - 0.005)

    watcher = eventlet.spawn(watch, naps.hub, eventlet.sleep)
    start_thread = eventlet.patcher.original("_thread").start_new_thread
    start_thread(watch, (naps.machine, eventlet.patcher.original("time").sleep))
    eventlet.sleep(0.02)
    try:
        yield naps
    finally:
        over.append(True)
        watcher.wait()


def in_greenlets(count: int, work: Callable[[int], Any]) -> list[Any]:
    return [green.wait() for green in [eventlet.spawn(work, number) for number in range(count)]]


def finds_and_transactions(url: str, database: str) -> dict[str, Any]:
    """platform.md: 300 finds in 30 greenlets, 20 concurrent transactions of two writes each."""
    client = connect(url, app="test")
    notes, accounts = client[database]["notes"], client[database]["accounts"]
    with within(Deadline.after(5)):
        notes.insert_many([{"_id": number, "text": f"t{number}"} for number in range(300)])
        accounts.insert_many([{"_id": number, "balance": 100} for number in range(4)])

    def find_ten(worker: int) -> int:
        with within(Deadline.after(5)):
            wanted = range(worker * 10, worker * 10 + 10)
            return sum((notes.find_one({"_id": n}) or {}).get("text") == f"t{n}" for n in wanted)

    def move(worker: int) -> int:
        def body(session: ClientSession) -> int:
            # Two writes to documents that other transactions want as well.
            taken = accounts.find_one_and_update(
                {"_id": worker % 4},
                {"$inc": {"balance": -1}},
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            # Bounded again: a conflict in here must still make the transaction run again.
            with within(Deadline.after(5)):
                accounts.update_one({"_id": (worker + 1) % 4}, {"$inc": {"balance": 1}}, session=session)
            return int((taken or {})["balance"])

        return transact(client, Deadline.after(5), body)

    with hub_watched() as naps:
        found = in_greenlets(30, find_ten)
        moved = in_greenlets(20, move)
    balances = [document["balance"] for document in accounts.find({}).sort("_id")]
    return {"found": sum(found), "moved": len(moved), "balances": balances, "longest_gap": naps.longest_gap}


def frozen(url: str, database: str, pid: int, patience: float) -> dict[str, Any]:
    """Stop mongod; try everything; let it go on; see when writes to the same documents succeed again."""
    client = connect(url, app="test")
    notes = client[database]["notes"]
    with within(Deadline.after(5)):
        notes.insert_many([{"_id": number, "version": 0} for number in range(8)])

    def bump(number: int, deadline: Deadline) -> None:
        def body(session: ClientSession) -> None:
            notes.update_one({"_id": number}, {"$inc": {"version": 1}}, session=session)
            # The freeze falls between the two: the transaction is left holding its document.
            eventlet.sleep(0.2)
            notes.update_one({"_id": number}, {"$inc": {"version": 1}}, session=session)

        transact(client, deadline, body)

    def attempt(work: Callable[[Deadline], Any]) -> dict[str, Any]:
        began, code = time.monotonic(), "ok"
        try:
            work(Deadline.after(patience))
        except ConcordatError as error:
            code = error.code
        return {"code": code, "seconds": time.monotonic() - began}

    def bounded(operation: Callable[[], Any]) -> Callable[[Deadline], Any]:
        def work(deadline: Deadline) -> None:
            with within(deadline):
                operation()

        return work

    tries: list[tuple[str, Callable[[Deadline], Any]]] = [
        ("find", bounded(lambda: notes.find_one({"_id": 0}))),
        ("find_all", bounded(lambda: list(notes.find({})))),
        ("update", bounded(lambda: notes.update_one({"_id": 5}, {"$inc": {"version": 1}}))),
        ("insert", bounded(lambda: notes.insert_one({}))),
        ("linearizable", bounded(lambda: linearizable(notes).find_one({"_id": 0}))),
    ]
    with hub_watched() as naps:
        begun = [eventlet.spawn(attempt, lambda deadline, n=n: bump(n, deadline)) for n in range(3)]
        eventlet.sleep(0.1)
        try:
            freeze(pid)
            stopped = time.monotonic()
            running = [(name, eventlet.spawn(attempt, work)) for name, work in tries]
            running += [("transaction", eventlet.spawn(attempt, lambda deadline: bump(6, deadline)))]
            answers = [(name, green.wait()) for name, green in running]
            answers += [("begun", green.wait()) for green in begun]
            # Longer than the server keeps a transaction: what it held must not outlive the thaw.
            while time.monotonic() - stopped < patience + 1:
                eventlet.sleep(0.05)
            again = attempt(bounded(lambda: notes.find_one({"_id": 0})))
        finally:
            os.kill(pid, signal.SIGCONT)
        thawed = time.monotonic()
        healed = in_greenlets(8, lambda number: seconds_until_written(notes, number, thawed))
    return {
        "answers": [{"name": name, **answer} for name, answer in [*answers, ("find_again", again)]],
        "longest_gap": naps.longest_gap,
        "healed": healed,
    }


def seconds_until_written(notes: Any, number: int, since: float) -> float:
    while time.monotonic() - since < 20:
        try:
            with within(Deadline.after(1)):
                notes.update_one({"_id": number}, {"$set": {"healed": True}})
                return time.monotonic() - since
        except ConcordatError:
            eventlet.sleep(0.05)
    return float("inf")


def read_your_write(url: str, database: str) -> dict[str, Any]:
    client = connect(url, app="test")
    notes = client[database]["notes"]
    with within(Deadline.after(5)):
        notes.insert_one({"_id": 1, "version": 7})
        found = linearizable(notes).find_one({"_id": 1})
        (logged,) = linearizable(notes).aggregate([{"$match": {"_id": 1}}])
    return {"found": found, "aggregated": logged}


def migrated(url: str, database: str, holder: str, start_at: float, die_in: str | None = None) -> list[str]:
    """Migrate as one of several instances; every step counts its runs. Dies inside the step `die_in`."""

    def counted(name: str) -> Step:
        def run(opened: Database[Any]) -> None:
            opened["runs"].insert_one({"step": name, "holder": holder, "at": time.time()})
            if name == die_in:
                os._exit(9)
            eventlet.sleep(0.05)

        return Step(name, run)

    client = connect(url, app="test")
    eventlet.sleep(max(0.0, start_at - time.time()))
    steps = [counted(f"step_{number}") for number in range(5)]
    return list(migrate(client[database], steps, holder=holder, patience=20, lease_seconds=1))


def provided(url: str, database: str) -> dict[str, Any]:
    """A service with a database, in nameko's container."""
    from nameko.containers import ServiceContainer

    from services.chassis import health
    from services.chassis.mongo import Mongo
    from services.chassis.settings import load

    class NotesService:
        name = "notes"

        first = Mongo()
        second = Mongo()

    settings = load("notes", rabbitmq_url="amqp://nowhere", mongo_url=url, mongo_database=database)
    container = ServiceContainer(NotesService, {"settings": settings})
    container.start()
    opened = container.dependencies
    databases = [provider.get_dependency(None) for provider in opened]
    until = time.monotonic() + 5
    while health.process.failing() and time.monotonic() < until:
        eventlet.sleep(0.01)
    failing = health.process.failing()
    with within(Deadline.after(2)):
        databases[0]["notes"].insert_one({"_id": 1})
    container.stop()
    return {
        "names": [found.name for found in databases],
        "one_client": databases[0].client is databases[1].client,
        "failing": failing,
    }
