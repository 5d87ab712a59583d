"""Where entries are kept.

entries  {_id, case_id, body {the fields of EntryBody}, author {id, name}, agency {id, name}, recorded_at,
          updated_at, revisions [{at, by, reason, what it said}], withdrawn {at, by, reason} | null}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.cases.domain.entries import Entry
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.paging import Ref
from services.contracts.vocabulary import EntryType


class EntryStore:
    """Entries in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["entries"]

    def insert(self, entry: Entry, session: Session) -> None:
        self._rows.insert_one(_row(entry), session=session)

    def replace(self, entry: Entry, before: datetime, session: Session) -> bool:
        """Put `entry` in the place of the one last changed at `before`; False if that is not there."""
        done = self._rows.replace_one({"_id": entry.id, "updated_at": before}, _row(entry), session=session)
        return done.matched_count == 1

    def find(self, case_id: str, entry_id: str, agency_id: str) -> Entry | None:
        """None also if it is withheld from the agency: it does not exist for it."""
        with in_time():
            row = self._rows.find_one({"_id": entry_id, "case_id": case_id, **_not_withheld(agency_id)})
        return None if row is None else entry_of(row)

    def listed(
        self,
        case_id: str,
        agency_id: str,
        before: tuple[datetime, str] | None,
        limit: int,
        *,
        entry_type: EntryType | None = None,
        author_agency_id: str | None = None,
    ) -> list[Entry]:
        """What happened last first, without what is withheld from the agency."""
        query: Document = {"case_id": case_id, **_not_withheld(agency_id)}
        if entry_type is not None:
            query["body.type"] = entry_type
        if author_agency_id is not None:
            query["agency.id"] = author_agency_id
        if before is not None:
            at, entry_id = before
            # The bound is the index's; the rest tells those of one moment apart.
            query["body.occurred_at"] = {"$lte": at}
            query["$or"] = [
                {"body.occurred_at": {"$lt": at}},
                {"body.occurred_at": at, "_id": {"$lt": entry_id}},
            ]
        order = [("body.occurred_at", DESCENDING), ("_id", DESCENDING)]
        with in_time():
            rows = self._rows.find(query).sort(order).limit(limit).batch_size(limit + 1)
            return [entry_of(row) for row in rows]


def _not_withheld(agency_id: str) -> Document:
    return {"body.withhold_from": {"$ne": agency_id}}


def _row(entry: Entry) -> Document:
    return {
        "_id": entry.id,
        "case_id": entry.case_id,
        "body": dict(entry.body),
        "author": entry.author.model_dump(),
        "agency": entry.agency.model_dump(),
        "recorded_at": entry.recorded_at,
        "updated_at": entry.updated_at,
        "revisions": [dict(one) for one in entry.revisions],
        "withdrawn": None if entry.withdrawn is None else dict(entry.withdrawn),
    }


def entry_of(row: Mapping[str, Any]) -> Entry:
    return Entry(
        id=row["_id"],
        case_id=row["case_id"],
        body=row["body"],
        author=Ref(**row["author"]),
        agency=Ref(**row["agency"]),
        recorded_at=row["recorded_at"],
        updated_at=row["updated_at"],
        revisions=tuple(row["revisions"]),
        withdrawn=row["withdrawn"],
    )


def _make_indexes(database: Database[Document]) -> None:
    database["entries"].create_index(
        [
            ("case_id", ASCENDING),
            ("body.occurred_at", DESCENDING),
            ("_id", DESCENDING),
            ("body.type", ASCENDING),
            ("agency.id", ASCENDING),
        ],
        name="timeline",
    )


STEPS = (Step("entries_indexes", _make_indexes),)
