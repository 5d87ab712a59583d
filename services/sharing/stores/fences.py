"""Where fences are kept: cases whose access list changed, until the holders surely judge by the new one.

fences  {_id: case id, epoch, agencies: [everyone concerned], narrowing, pending: true | absent,
         tries, next_at, applied_at, drop_at}

`pending`: `cases` has not said yet that it has the list. Narrowing fences go an hour after it has
(`drop_at`), so that a paused old primary of its database is not believed either; widening ones at once.
`authority.py` reads them for identify.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time

KEPT = timedelta(hours=1)
LONGEST_WAIT = 30.0
"""Seconds between two tries to have a list applied, at most."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A list that `cases` has not got yet, as far as is known."""

    case_id: str
    epoch: int
    tries: int


class FenceStore:
    """Fences in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._fences = database["fences"]

    def raise_fence(
        self,
        case_id: str,
        epoch: int,
        agencies: Iterable[str],
        *,
        narrowing: bool,
        now: datetime,
        session: Session,
    ) -> None:
        """Callers of these agencies may judge this case by `epoch` or later only, once this is committed.

        What an earlier fence says of agencies and narrowing stays true.
        """
        # `narrowing` only ever turns true here: $max orders false before true.
        self._fences.update_one(
            {"_id": case_id},
            {
                "$set": {"epoch": epoch, "pending": True, "tries": 0, "next_at": now},
                "$addToSet": {"agencies": {"$each": sorted(set(agencies))}},
                "$max": {"narrowing": narrowing},
                "$unset": {"applied_at": True, "drop_at": True},
            },
            upsert=True,
            session=session,
        )

    def due(self, now: datetime, limit: int) -> list[Pending]:
        """Those that `cases` is to be told of, those that wait longest first."""
        with in_time():
            rows = list(
                self._fences.find({"pending": True, "next_at": {"$lte": now}}, {"epoch": True, "tries": True})
                .sort("next_at", ASCENDING)
                .limit(limit)
            )
        return [Pending(row["_id"], int(row["epoch"]), int(row["tries"])) for row in rows]

    def applied(self, case_id: str, epoch: int, now: datetime) -> None:
        """`cases` has the list of this epoch. Nothing happens if a later one is on its way."""
        with in_time():
            gone = self._fences.delete_one({"_id": case_id, "epoch": {"$lte": epoch}, "narrowing": False})
            if not gone.deleted_count:
                self._fences.update_one(
                    {"_id": case_id, "epoch": {"$lte": epoch}, "pending": True},
                    {
                        "$set": {"applied_at": now, "drop_at": now + KEPT},
                        "$unset": {"pending": True, "next_at": True, "tries": True},
                    },
                )

    def postpone(self, pending: Pending, now: datetime) -> None:
        """It was tried in vain: try again later, more rarely each time."""
        wait = timedelta(seconds=min(LONGEST_WAIT, 2.0 ** min(pending.tries, 10)))
        with in_time():
            self._fences.update_one(
                {"_id": pending.case_id, "epoch": pending.epoch, "pending": True},
                {"$set": {"next_at": now + wait}, "$inc": {"tries": 1}},
            )

    def forget(self, case_ids: Iterable[str]) -> None:
        """Of cases that never were."""
        with in_time():
            self._fences.delete_many({"_id": {"$in": list(case_ids)}})


def make_indexes(database: Database[Document]) -> None:
    fences = database["fences"]
    fences.create_index([("agencies", ASCENDING)], name="agencies")
    fences.create_index([("next_at", ASCENDING)], name="pending", partialFilterExpression={"pending": True})
    fences.create_index([("drop_at", ASCENDING)], name="drop_at", expireAfterSeconds=0)


STEPS = (Step("fences_indexes", make_indexes),)
