"""A holder that answers reads, each once its record is safe, by one of the two ways; and the relay that the
second way needs. Each runs in a process of its own (`tests/eventlet_process.py`), until it is killed.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any, Protocol

import eventlet
import structlog
from pymongo import ASCENDING

from services.chassis.confirms import Confirms
from services.chassis.context import Context, use
from services.chassis.deadline import Deadline
from services.chassis.link import Link
from services.chassis.mongo import connect, within
from services.chassis.recording import CONTEXT, MARK_SECONDS, Keeper
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE
from services.contracts.directory import RECORDER
from services.contracts.errors import ConcordatError, Unavailable
from services.contracts.records import Record
from tests.bench.auditing.publishing import now_record

HOLDER, OUTBOX = "cases", "bench_outbox"
PAUSE, ANSWER_SECONDS = 0.01, 5.0
AT_ONCE, CONFIRM_SECONDS = 100, 2.0


class Way(Protocol):
    def keep(self, record: Record) -> None:
        """Return once it is safe. Raises ConcordatError."""


class ByBroker:
    """As the services do it, with their own parts."""

    def __init__(self, rabbit: str, keys_dir: Path) -> None:
        self._keeper = Keeper(_confirms(rabbit), Keyring(keys_dir, HOLDER), HOLDER)
        eventlet.spawn(self._mark)

    def keep(self, record: Record) -> None:
        self._keeper.keep(record)

    def _mark(self) -> None:
        while True:
            eventlet.sleep(MARK_SECONDS)
            self._keeper.mark()


class ByOutbox:
    """A majority write into the holder's own database."""

    def __init__(self, mongo: str, keys_dir: Path) -> None:
        self._rows = connect(mongo, app="holder")[HOLDER][OUTBOX]
        self._keyring = Keyring(keys_dir, HOLDER)
        self._publisher, self._number = uuid.uuid4().hex, 0

    def keep(self, record: Record) -> None:
        self._number += 1
        told = {"service": HOLDER, "publisher": self._publisher, "number": self._number}
        body = record.model_copy(update=told).model_dump_json().encode()
        sealed = self._keyring.seal(RECORDER, body, 0, CONTEXT)
        with within(Deadline.after(ANSWER_SECONDS)):
            self._rows.insert_one({"_id": record.id, "body": sealed, "sent": False})


def hold(way: str, rabbit: str, mongo: str, keys_dir: str, answered: str, refused: str) -> None:
    """Answer reads, until killed: the ids of those that were answered go into one file, the seconds that each
    refusal took into another."""
    by: Way = ByBroker(rabbit, Path(keys_dir)) if way == "broker" else ByOutbox(mongo, Path(keys_dir))
    with Path(answered).open("a", buffering=1) as yes, Path(refused).open("a", buffering=1) as no:
        number = 0
        while True:
            number += 1
            record, begin = now_record(number), time.monotonic()
            try:
                with use(Context(record.id, Deadline.after(ANSWER_SECONDS))):
                    by.keep(record)
                yes.write(f"{record.id}\n")
            except ConcordatError:
                no.write(f"{time.monotonic() - begin:.3f}\n")
            eventlet.sleep(PAUSE)


def relay(rabbit: str, mongo: str) -> None:
    """Take what waits in the outbox to the broker, in its order, until killed."""
    confirms, rows = _confirms(rabbit), connect(mongo, app="relay")[HOLDER][OUTBOX]
    while True:
        try:
            with within(Deadline.after(ANSWER_SECONDS)):
                found = list(rows.find({"sent": False}).sort("_id", ASCENDING).limit(AT_ONCE))
            if found and _sent(confirms, found):
                with within(Deadline.after(ANSWER_SECONDS)):
                    ids = [row["_id"] for row in found]
                    rows.update_many({"_id": {"$in": ids}}, {"$set": {"sent": True}})
                continue
        except Unavailable:
            pass
        eventlet.sleep(0.1)


def _sent(confirms: Confirms, rows: list[dict[str, Any]]) -> bool:
    properties = {"content_type": CONTENT_TYPE, "delivery_mode": 2}
    tickets = [confirms.publish(INTAKE, INTAKE, bytes(row["body"]), dict(properties)) for row in rows]
    return confirms.wait(tickets, CONFIRM_SECONDS)


def _confirms(rabbit: str) -> Confirms:
    # Nobody reads what this process says, and a full pipe would stop it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    link = Link([rabbit], "publishing")
    confirms = Confirms(link)
    link.start()
    link.wait_up(10)
    return confirms
