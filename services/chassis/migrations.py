"""Bringing a service's database up to date, once, however many instances start together.

A step MUST be idempotent: an instance that dies inside one leaves it to be run again. Steps are only ever
added, at the end; a step that was released is never changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.collection import Collection
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.lease import Lease
from services.chassis.logs import log
from services.chassis.mongo import Document, within
from services.contracts.errors import Unavailable

_POLL_SECONDS = 0.05
_PATIENCE_EACH = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the database, known by its name for ever."""

    name: str
    run: Callable[[Database[Document]], object]


def migrate(
    database: Database[Document],
    steps: Sequence[Step],
    *,
    holder: str,
    patience: float = 60.0,
    lease_seconds: float = 30.0,
) -> tuple[str, ...]:
    """Run the steps not yet recorded, in order; give the names of those run here.

    Waits up to `patience` seconds while another instance is at it (Unavailable after that). A holder that
    says nothing for `lease_seconds`, in which each step MUST end, is taken to be dead.
    """
    if len({step.name for step in steps}) < len(steps):
        raise ValueError("each migration step has a name of its own")
    give_up = Deadline.after(patience)
    lease = Lease(database["leases"], "migrations", holder, lease_seconds)
    ran: list[str] = []
    while _missing(database, steps):
        if _take(lease):
            try:
                ran.extend(_run(database, steps, lease, holder))
            finally:
                _release(lease)
        elif give_up.expired:
            raise Unavailable(cause="migrations: another instance holds the lease")
        else:
            time.sleep(_POLL_SECONDS)
    return tuple(ran)


def _run(database: Database[Document], steps: Sequence[Step], lease: Lease, holder: str) -> Iterator[str]:
    # Looked at anew: another instance may have finished between the look and the lease.
    for step in _missing(database, steps):
        if not _take(lease):
            return
        step.run(database)
        with within(Deadline.after(_PATIENCE_EACH)):
            _record(database).update_one(
                {"_id": step.name},
                {"$setOnInsert": {"at": datetime.now(UTC), "by": holder}},
                upsert=True,
            )
        log.info("migrated", database=database.name, step=step.name)
        yield step.name


def _missing(database: Database[Document], steps: Sequence[Step]) -> list[Step]:
    with within(Deadline.after(_PATIENCE_EACH)):
        recorded = {found["_id"] for found in _record(database).find({}, {"_id": 1})}
    return [step for step in steps if step.name not in recorded]


def _record(database: Database[Document]) -> Collection[Document]:
    return database["migrations"]


def _take(lease: Lease) -> bool:
    with within(Deadline.after(_PATIENCE_EACH)):
        return lease.take()


def _release(lease: Lease) -> None:
    with within(Deadline.after(_PATIENCE_EACH)):
        lease.release()
