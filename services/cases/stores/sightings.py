"""Where subjects are seen: read from the collections of cases and entries, which `stores.cases` and
`stores.entries` describe. Everything here is asked of cases that name the caller, so that neither answer nor
cost tells of others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.cases.domain.case import Case
from services.cases.domain.entries import Entry
from services.cases.stores.case_rows import case_of
from services.cases.stores.entries import entry_of
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time

MOST_CASES = 500
"""Of one question."""
_UNSEEN = {"words": False, "readers": False, "settled": False, "summary": False}


class SightingStore:
    """Which cases hold which subjects, and what their entries say of them."""

    def __init__(self, database: Database[Document]) -> None:
        self._cases, self._entries = database["cases"], database["entries"]

    def holding(self, subject_ids: Collection[str], keys: Sequence[str]) -> list[Case]:
        """The cases that hold any of the subjects and name any of `keys`, the latest opened first."""
        if not subject_ids:
            return []
        wanted = {"subjects.id": {"$in": sorted(subject_ids)}, "readers": {"$in": list(keys)}}
        with in_time():
            rows = self._cases.find(wanted, _UNSEEN).sort("_id", DESCENDING).limit(MOST_CASES)
            return [case_of(row) for row in rows]

    def in_named(self, keys: Sequence[str]) -> set[str]:
        """The ids of all subjects in cases that name any of `keys`."""
        with in_time():
            return set(self._cases.distinct("subjects.id", {"readers": {"$in": list(keys)}}))

    def with_subject(self, subject_id: str) -> list[tuple[str, datetime]]:
        """Id and time of opening of every case that holds the subject: for the log, which shows it to nobody
        but who may see that."""
        with in_time():
            rows = self._cases.find({"subjects.id": subject_id}, {"created_at": True}).limit(MOST_CASES)
            return [(row["_id"], row["created_at"]) for row in rows]

    def labelled(self, subject_id: str, session: Session) -> list[Case]:
        """Every case that holds the subject under a label, whoever may see it."""
        rows = self._cases.find({"subjects.id": subject_id}, _UNSEEN, session=session).limit(MOST_CASES)
        return [case_of(row) for row in rows]

    def entries_about(
        self,
        subject_id: str,
        case_ids: Collection[str],
        agency_id: str,
        after: tuple[datetime, str] | None,
        limit: int,
        *,
        newest_first: bool,
    ) -> list[Entry]:
        """Entries of these cases that name the subject, by when it happened; without those withdrawn and
        those withheld from the agency."""
        if not case_ids:
            return []
        wanted: Document = {
            "body.subject_ids": subject_id,
            "case_id": {"$in": sorted(case_ids)},
            "body.withhold_from": {"$ne": agency_id},
            "withdrawn": None,
        }
        if after is not None:
            at, entry_id = after
            beyond = "$lt" if newest_first else "$gt"
            wanted["$or"] = [
                {"body.occurred_at": {beyond: at}},
                {"body.occurred_at": at, "_id": {beyond: entry_id}},
            ]
        way = DESCENDING if newest_first else ASCENDING
        with in_time():
            rows = self._entries.find(wanted).sort([("body.occurred_at", way), ("_id", way)]).limit(limit)
            return [entry_of(row) for row in rows.batch_size(limit + 1)]


def _make_indexes(database: Database[Document]) -> None:
    database["entries"].create_index(
        [
            ("body.subject_ids", ASCENDING),
            ("body.occurred_at", ASCENDING),
            ("_id", ASCENDING),
            ("case_id", ASCENDING),
        ],
        name="chronology",
    )


STEPS = (Step("chronology_index", _make_indexes),)
