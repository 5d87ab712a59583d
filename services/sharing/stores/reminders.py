"""What ends within some days, and up to where people were warned of it.

reminder_marks  {_id: name of the warning, at: day or instant of the last end that was told, key, both null
                 before the first look}

Whoever warns moves the mark in the same transaction, and does so only from where it has read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.sharing.domain.reminders import NAMES, Due, Mark, Subject
from services.sharing.stores import certifying
from services.sharing.stores.people import appointments_of


class _Place:
    """Where the ends of one subject stand: in an array of a document, or in the document itself."""

    def __init__(
        self,
        collection: str,
        array: str | None,
        end: str,
        wanted: Document,
        inner: Document,
        *,
        index: str = "by_end",
    ) -> None:
        self.collection, self.array, self.end = collection, array, end
        self.wanted, self.inner, self.index = wanted, inner, index
        self.path = end if array is None else f"{array}.{end}"

    def pipeline(self, after: Mark, until: Mark, limit: int, key: Any) -> list[Document]:
        span = {"$gte": after.at, "$lte": until.at}
        ends = {self.end: span, **self.inner}
        match = ends if self.array is None else {self.array: {"$elemMatch": ends}}
        each: list[Document] = []
        if self.array is not None:
            each = [
                {"$set": {"all": f"${self.array}"}},
                {"$unwind": f"${self.array}"},
                {"$match": {f"{self.array}.{name}": value for name, value in ends.items()}},
            ]
        return [
            {"$match": {**self.wanted, **match}},
            *each,
            {"$set": {"at": f"${self.path}", "key": key}},
            {"$match": {"$or": [{"at": {"$gt": after.at}}, {"at": after.at, "key": {"$gt": after.key}}]}},
            {"$sort": {"at": 1, "key": 1}},
            {"$limit": limit},
        ]


_PLACES: Mapping[Subject, _Place] = MappingProxyType(
    {
        "protocol": _Place("protocols", None, "ends_on", {"state": "active"}, {}),
        "role": _Place("users", "roles", "ends_on", {"state": {"$ne": "disabled"}}, {}),
        "share": _Place("ownerships", "grants", "expires_at", {}, {"kind": "share"}),
        "user": _Place("users", None, "certify_by", {"state": {"$ne": "disabled"}}, {}, index="by_certify"),
        "grant": _Place("ownerships", "grants", "certify_by", {}, {"kind": "share"}, index="by_certify"),
    }
)
_KEYS: Mapping[Subject, Any] = MappingProxyType(
    {
        "protocol": "$_id",
        "role": {"$concat": ["$_id", "/", "$roles.role"]},
        "share": {"$concat": ["$_id", "/", "$grants.id"]},
        "user": "$_id",
        "grant": {"$concat": ["$_id", "/", "$grants.id"]},
    }
)


class ReminderStore:
    """Marks and ends in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._database, self._marks = database, database["reminder_marks"]

    def mark(self, name: str, session: Session | None = None) -> Mark | None:
        with in_time():
            row = self._marks.find_one({"_id": name}, session=session)
        return None if row is None or row["at"] is None else Mark(row["at"], row["key"])

    def move(self, name: str, mark: Mark, session: Session | None = None) -> None:
        with in_time():
            self._marks.update_one({"_id": name}, {"$set": {"at": mark.at, "key": mark.key}}, session=session)

    def due(self, subject: Subject, after: Mark, until: Mark, limit: int) -> list[Due]:
        """What ends behind `after` and not behind `until`, the soonest first."""
        place = _PLACES[subject]
        with in_time():
            rows = self._database[place.collection].aggregate(
                place.pipeline(after, until, limit, _KEYS[subject]), hint=place.index
            )
            return [_due(subject, row) for row in rows]


def _due(subject: Subject, row: Document) -> Due:
    if subject == "protocol":
        return Due(row["at"], row["key"], row["_id"], tuple(row["parties"]))
    if subject == "role":
        return Due(
            row["at"],
            row["key"],
            row["_id"],
            (row["agency_id"],),
            role=row["roles"]["role"],
            roles=appointments_of(row["all"]),
        )
    if subject == "user":
        return Due(row["at"], row["key"], row["agency_id"], (row["agency_id"],))
    ends = row["grants"]["expires_at"]
    over = subject == "grant" and ends is not None and ends <= row["at"]
    return Due(row["at"], row["key"], row["_id"], owner_id=row["owner"]["user"]["id"], over=over)


def begin(database: Database[Document]) -> None:
    for place in _PLACES.values():
        database[place.collection].create_index([(place.path, ASCENDING)], name=place.index)
    for name in NAMES:
        database["reminder_marks"].update_one(
            {"_id": name}, {"$setOnInsert": {"at": None, "key": None}}, upsert=True
        )


STEPS = (*certifying.STEPS, Step("reminders", begin), Step("reminders_of_certifying", begin))
