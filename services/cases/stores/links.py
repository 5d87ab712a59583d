"""Where links between subjects are kept.

links  {_id, ends [from, to], kind, since, until (days as text, or null), source, agency_id, created_by,
       created_at, updated_at, version}
"""

from __future__ import annotations

from datetime import date

from pymongo import ASCENDING
from pymongo.database import Database

from services.cases.domain.links import MOST_LINKS, Link
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time


class LinkStore:
    """Links in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["links"]

    def insert(self, link: Link, session: Session) -> None:
        self._rows.insert_one(_row(link), session=session)

    def replace(self, link: Link, session: Session) -> bool:
        """Put `link` in the place of its last version; False if that is not what is there any more."""
        wanted = {"_id": link.id, "version": link.version - 1}
        return self._rows.replace_one(wanted, _row(link), session=session).matched_count == 1

    def delete(self, link_id: str, session: Session) -> bool:
        return self._rows.delete_one({"_id": link_id}, session=session).deleted_count == 1

    def find(self, link_id: str, session: Session | None = None) -> Link | None:
        with in_time():
            row = self._rows.find_one({"_id": link_id}, session=session)
        return None if row is None else _link(row)

    def count(self, subject_id: str, session: Session) -> int:
        """At most MOST_LINKS are counted."""
        return self._rows.count_documents({"ends": subject_id}, limit=MOST_LINKS, session=session)

    def of_subject(self, subject_id: str) -> list[Link]:
        """Every one that begins or ends there, the oldest first."""
        with in_time():
            rows = list(self._rows.find({"ends": subject_id}).sort("_id", ASCENDING).limit(2 * MOST_LINKS))
        return [_link(row) for row in rows]


def _row(link: Link) -> Document:
    return {
        "_id": link.id,
        "ends": [link.from_id, link.to_id],
        "kind": link.kind,
        "since": link.since.isoformat() if link.since else None,
        "until": link.until.isoformat() if link.until else None,
        "source": link.source,
        "agency_id": link.agency_id,
        "created_by": link.created_by,
        "created_at": link.created_at,
        "updated_at": link.updated_at,
        "version": link.version,
    }


def _link(row: Document) -> Link:
    return Link(
        id=row["_id"],
        kind=row["kind"],
        from_id=row["ends"][0],
        to_id=row["ends"][1],
        since=date.fromisoformat(row["since"]) if row["since"] else None,
        until=date.fromisoformat(row["until"]) if row["until"] else None,
        source=row["source"],
        agency_id=row["agency_id"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def _make_indexes(database: Database[Document]) -> None:
    database["links"].create_index([("ends", ASCENDING), ("_id", ASCENDING)], name="ends")


STEPS = (Step("links_indexes", _make_indexes),)
