"""Where subjects are kept.

subjects  {_id, agency_id, team_id, kind, external ("system\\0id", absent without one), words [folded], body
          {the fields as they were entered}, version, created_by, created_at, updated_at}

At most one subject of an agency has an external reference: an import that runs twice makes nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.cases.domain.labels import words_of
from services.cases.domain.subjects import Subject, body_of, fields_of
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.cases.subjects import ExternalRef
from services.contracts.errors import AlreadyExists, FieldError
from services.contracts.vocabulary import SubjectKind

_UNSEEN = {"words": False}


class SubjectStore:
    """Subjects in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["subjects"]

    def insert(self, subject: Subject, session: Session) -> None:
        """Raises AlreadyExists: the agency has one with this external reference."""
        try:
            self._rows.insert_one(_row(subject), session=session)
        except DuplicateKeyError:
            raise _taken() from None

    def replace(self, subject: Subject, session: Session) -> bool:
        """Put `subject` in the place of its last version; False if that is not what is there any more.

        Raises AlreadyExists.
        """
        try:
            done = self._rows.replace_one(
                {"_id": subject.id, "version": subject.version - 1}, _row(subject), session=session
            )
        except DuplicateKeyError:
            raise _taken() from None
        return done.matched_count == 1

    def find(self, subject_id: str, session: Session | None = None) -> Subject | None:
        with in_time():
            row = self._rows.find_one({"_id": subject_id}, _UNSEEN, session=session)
        # One that is not there takes as long to be found missing as one to be found hidden.
        subject = _subject(row or _DECOY)
        return None if row is None else subject

    def find_many(self, subject_ids: Collection[str], session: Session | None = None) -> dict[str, Subject]:
        """Those that there are, by id: one read."""
        if not subject_ids:
            return {}
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": sorted(subject_ids)}}, _UNSEEN, session=session))
        return {row["_id"]: _subject(row) for row in rows}

    def of_teams(
        self,
        agency_id: str,
        team_ids: Sequence[str],
        kind: SubjectKind | None,
        before: str | None,
        limit: int,
    ) -> list[Subject]:
        """The latest entered first, from `before` on: ids sort by time."""
        wanted: Document = {"team_id": {"$in": list(team_ids)}, "agency_id": agency_id}
        if kind is not None:
            wanted["kind"] = kind
        if before is not None:
            wanted["_id"] = {"$lt": before}
        return self._some(wanted, limit)

    def search_teams(
        self,
        agency_id: str,
        team_ids: Sequence[str],
        words: Sequence[str],
        before: str | None,
        limit: int,
        **more: Any,
    ) -> list[Subject]:
        """Those of the teams in which each of `words` begins a word."""
        wanted = {"team_id": {"$in": list(team_ids)}, "agency_id": agency_id, **_beginning(words), **more}
        return self._some(_and_before(wanted, before), limit)

    def search_among(
        self, subject_ids: Collection[str], words: Sequence[str], before: str | None, limit: int, **more: Any
    ) -> list[Subject]:
        """Those among `subject_ids` in which each of `words` begins a word."""
        among = sorted(one for one in subject_ids if before is None or one < before)
        if not among:
            return []
        return self._some({"_id": {"$in": among}, **_beginning(words), **more}, limit)

    def _some(self, wanted: Document, limit: int) -> list[Subject]:
        with in_time():
            rows = list(self._rows.find(wanted, _UNSEEN).sort("_id", DESCENDING).limit(limit))
        return [_subject(row) for row in rows]


def external_key(reference: ExternalRef) -> str:
    """What is unique in an agency."""
    return f"{reference.system}\0{reference.id}"


def _taken() -> AlreadyExists:
    return AlreadyExists(
        errors=(FieldError("/external_ref", "already_exists", "There is one with this reference already."),)
    )


def _and_before(wanted: Document, before: str | None) -> Document:
    return wanted if before is None else {**wanted, "_id": {"$lt": before}}


def _beginning(words: Sequence[str]) -> Document:
    """Anchored and without options, so that the index is entered at the prefix."""
    first, *others = (re.compile("^" + re.escape(word)) for word in words)
    return {"words": first, "$and": [{"words": other} for other in others]} if others else {"words": first}


def _row(subject: Subject) -> Document:
    row: Document = {
        "_id": subject.id,
        "agency_id": subject.agency_id,
        "team_id": subject.team_id,
        "kind": subject.kind,
        "words": words_of(subject.body),
        "body": fields_of(subject.body),
        "version": subject.version,
        "created_by": subject.created_by,
        "created_at": subject.created_at,
        "updated_at": subject.updated_at,
    }
    if subject.body.external_ref is not None:
        row["external"] = external_key(subject.body.external_ref)
    return row


def _subject(row: Document) -> Subject:
    return Subject(
        id=row["_id"],
        agency_id=row["agency_id"],
        body=body_of(row["body"]),
        version=row["version"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_DECOY: Document = {
    "_id": "nobody",
    "agency_id": "nobody",
    "body": {
        "kind": "person",
        "names": [{"given": "nobody", "family": "nobody", "type": "legal"}],
        "team_id": "nobody",
        "born": {"date": "1980-01-01", "precision": "day"},
        "external_ref": {"system": "nobody", "id": "nobody"},
    },
    "version": 0,
    "created_by": "nobody",
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}


def _make_indexes(database: Database[Document]) -> None:
    rows = database["subjects"]
    rows.create_index(
        [("agency_id", ASCENDING), ("external", ASCENDING)],
        name="external",
        unique=True,
        partialFilterExpression={"external": {"$exists": True}},
    )
    rows.create_index([("team_id", ASCENDING), ("_id", DESCENDING)], name="team")
    rows.create_index([("team_id", ASCENDING), ("kind", ASCENDING), ("_id", DESCENDING)], name="kind")
    rows.create_index([("team_id", ASCENDING), ("words", ASCENDING)], name="words")


STEPS = (Step("subjects_indexes", _make_indexes),)
