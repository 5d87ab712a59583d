"""Changing what access hangs on, so that the version before stays: the one way to change these documents.

history  {_id: "<kind>/<id>/<number>", kind, id, number, since, until, document}

`document` is the version that was in force from `since` until `until`, as it stood in its collection, without
secrets, sessions and search words. It is written in the transaction that ends it; the version in force stands
in the collection alone, and began when the last one in the history ended. Numbers begin at 1. `since` of the
first is when the document was made. Procedures and inserts leave nothing: they change nothing that was.
`stores/history.py` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session

Kind = Literal["ownership", "user", "team", "client", "agency", "protocol"]

_USER = (
    "name",
    "agency_id",
    "job_title",
    "team_ids",
    "deputy_id",
    "roles",
    "state",
    "signature",
    "trainings",
    "version",
    "created_at",
    "updated_at",
)
"""A list of what is kept, for of everything else in it nobody knows how long it may be kept."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where documents of a kind stand, when the first version began, and what of them is kept."""

    collection: str
    began: str = "created_at"
    kept: Document = field(default_factory=dict)


SHAPES: Mapping[Kind, Shape] = MappingProxyType(
    {
        "ownership": Shape("ownerships", "registered_at", {"readers": False}),
        "user": Shape("users", kept=dict.fromkeys(_USER, True)),
        "team": Shape("teams", kept={"key": False, "words": False}),
        "client": Shape("clients", kept={"secrets": False, "sessions": False, "key": False, "words": False}),
        "agency": Shape("agencies", kept={"history": False, "key": False}),
        "protocol": Shape("protocols", kept={"history": False}),
    }
)


class Kept:
    """The documents of one kind, to be changed. Everything here is part of a transaction."""

    def __init__(self, database: Database[Document], kind: Kind) -> None:
        self._kind, self._shape = kind, SHAPES[kind]
        self._rows, self._history = database[self._shape.collection], database["history"]

    def update(self, wanted: Document, change: Document, session: Session) -> bool:
        """Change the one document, if there is one; whether there was."""
        return self.update_all(wanted, change, session, limit=1) > 0

    def update_all(self, wanted: Document, change: Document, session: Session, *, limit: int = 0) -> int:
        """Change those that there are; how many."""
        before = self._before(wanted, session, limit)
        if not before:
            return 0
        ids = {"_id": {"$in": [one["_id"] for one in before]}}
        done = self._rows.update_many(ids, change, session=session)
        self._keep(before, session)
        return done.matched_count

    def replace(self, wanted: Document, row: Document, session: Session) -> bool:
        """Put another in the place of the one document, if there is one; whether there was."""
        before = self._before(wanted, session, 1)
        if not before:
            return False
        self._rows.replace_one({"_id": before[0]["_id"]}, row, session=session)
        self._keep(before, session)
        return True

    def _before(self, wanted: Document, session: Session, limit: int) -> list[Document]:
        # Whoever changes one of them between this read and the write makes the transaction run anew.
        return list(self._rows.find(wanted, self._shape.kept or None, session=session).limit(limit))

    def _keep(self, before: Sequence[Document], session: Session) -> None:
        last, now = self._last([one["_id"] for one in before], session), datetime.now(UTC)
        rows = []
        for document in before:
            number, since = last.get(document["_id"], (0, document[self._shape.began]))
            rows.append(
                {
                    "_id": f"{self._kind}/{document['_id']}/{number + 1}",
                    "kind": self._kind,
                    "id": document["_id"],
                    "number": number + 1,
                    "since": since,
                    "until": max(now, since),
                    "document": document,
                }
            )
        self._history.insert_many(rows, session=session)

    def _last(self, ids: Sequence[str], session: Session) -> dict[str, tuple[int, datetime]]:
        """The number of the last version in the history, and when it ended."""
        found: dict[str, tuple[int, datetime]] = {}
        for one in ids:
            row = self._history.find_one(
                {"kind": self._kind, "id": one},
                {"number": True, "until": True},
                sort=[("number", -1)],
                session=session,
            )
            if row is not None:
                found[one] = row["number"], row["until"]
        return found


def make_indexes(database: Database[Document]) -> None:
    rows = database["history"]
    rows.create_index([("kind", ASCENDING), ("id", ASCENDING), ("since", ASCENDING)], name="by_since")
    rows.create_index([("kind", ASCENDING), ("id", ASCENDING), ("number", ASCENDING)], name="by_number")
    # How all agencies or all protocols stood: few of each, with few changes.
    rows.create_index([("kind", ASCENDING), ("until", ASCENDING)], name="by_until")


STEPS = (Step("history_indexes", make_indexes),)
"""What was there before the history began needs nothing: its first version is in force since it was made."""
