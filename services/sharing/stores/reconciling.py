"""The work of mending a copy that was put back: how far it is, and what was found.

reconciliation  {_id: "job", run, check, state: asked | running | done, part, after, term, seen,
                 as_of, asked_at, ended_at, cases, unreadable, differing}
differences     {_id: "<run>/<case id>", run, case_id, told: [{what, id}], at}

One process works at a time, by a lease; what it does is harmless when done twice. A case is mended in the
transaction that puts its differences here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis import context
from services.chassis.deadline import Deadline
from services.chassis.lease import Lease
from services.chassis.mongo import Document, Session, in_time, transact
from services.contracts.restores import AuthorityMark
from services.sharing.domain.mending import Told

_JOB = "job"
LEASE_SECONDS = 15.0
Part = Literal["begin", "held", "own", "end"]
Result = TypeVar("Result")


class Job(BaseModel):
    """`check`: look, and change nothing. `cases`: looked at so far; `unreadable`: of these.
    `seen`, `as_of`: as it was noticed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    check: bool
    state: Literal["asked", "running", "done"] = "asked"
    part: Part = "begin"
    after: str | None = None
    term: int = 0
    seen: AuthorityMark | None = None
    as_of: datetime | None = None
    asked_at: datetime
    ended_at: datetime | None = None
    cases: int = 0
    unreadable: int = 0
    differing: int = 0


class ReconcileStore:
    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._jobs, self._differences = database["reconciliation"], database["differences"]
        self._lease = Lease(database["leases"], "reconcile", uuid.uuid4().hex, LEASE_SECONDS)

    def ask(self, run: str, *, check: bool, now: datetime) -> Job:
        """Have it done, or be told what is being done already."""
        with in_time():
            present = self._jobs.find_one({"_id": _JOB, "state": {"$ne": "done"}})
            if present is not None:
                return Job.model_validate(present)
            job = Job(run=run, check=check, asked_at=now)
            self._jobs.replace_one({"_id": _JOB}, job.model_dump(), upsert=True)
        return job

    def job(self) -> Job | None:
        with in_time():
            row = self._jobs.find_one({"_id": _JOB})
        return None if row is None else Job.model_validate(row)

    def put(self, job: Job, session: Session | None = None) -> None:
        """How far it is now."""
        with in_time():
            self._jobs.update_one({"_id": _JOB, "run": job.run}, {"$set": job.model_dump()}, session=session)

    def take(self) -> bool:
        """Be the one that works on it, or go on being."""
        with in_time():
            return self._lease.take()

    def release(self) -> None:
        with in_time():
            self._lease.release()

    def tell(
        self, run: str, case_id: str, told: Sequence[Told], now: datetime, session: Session | None = None
    ) -> None:
        """What is otherwise about a case: once, however often it is looked at."""
        row = {"run": run, "case_id": case_id, "told": [{"what": one.what, "id": one.id} for one in told]}
        with in_time():
            self._differences.update_one(
                {"_id": f"{run}/{case_id}"},
                {"$setOnInsert": {**row, "at": now}},
                upsert=True,
                session=session,
            )

    def count(self, run: str) -> int:
        with in_time():
            return self._differences.count_documents(_of(run))

    def told(self, run: str, after: str | None, limit: int) -> list[tuple[str, tuple[Told, ...]]]:
        """By case id, from the case `after` on."""
        wanted = _of(run, after or "")
        with in_time():
            rows = list(self._differences.find(wanted).sort("_id", ASCENDING).limit(limit))
        return [(row["case_id"], tuple(Told(one["what"], one["id"]) for one in row["told"])) for row in rows]

    def end_sessions(self) -> None:
        """Of everybody, and every code that lets in once: it may have been used, or taken back, since."""
        users, clients, devices = (self._database[one] for one in ("users", "clients", "devices"))
        with in_time():
            users.update_many({"sessions": {"$ne": []}}, {"$set": {"sessions": []}})
            users.update_many({"activation": {"$ne": None}}, {"$set": {"activation": None}})
            clients.update_many({"sessions": {"$exists": True, "$ne": []}}, {"$set": {"sessions": []}})
            devices.update_many({"code": {"$exists": True}}, {"$unset": {"code": ""}})

    def transact(self, body: Callable[[Session], Result]) -> Result:
        serving = context.current()
        deadline: Any = serving.deadline if serving else Deadline.after(LEASE_SECONDS)
        return transact(self._database.client, deadline, body)


def _of(run: str, after: str = "") -> Document:
    return {"_id": {"$gt": f"{run}/{after}", "$lt": f"{run}0"}}
