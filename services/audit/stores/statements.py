"""Statements to people, as they were issued.

statements       {_id, subject_id, agency_id, scope, created_at, issued_by, since, until, lines, withheld,
                  redacted, head, entry_id, cases}; `entry_id` is the entry by which the log committed to it,
                  `cases` are those that its lines name
statement_lines  {_id: "statement/piece", lines: [{text, index, detailed}]}: LINES_AT_ONCE in each

No detail of an entry is copied: it is read from where it is kept, as long as it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.database import Database

from services.audit.domain.merkle import HASH_SIZE
from services.audit.domain.statements import Line, cases_in
from services.audit.stores.entries import Detail, EntryStore
from services.audit.stores.tree import TreeStore
from services.chassis import outbox
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time

LINES_AT_ONCE = 100
"""Of a piece: with proofs and details it stays below the limit of a reply."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its lines."""

    id: str
    subject_id: str
    agency_id: str
    scope: str
    created_at: datetime
    issued_by: str
    since: datetime | None
    until: datetime
    lines: int
    withheld: int
    redacted: int
    head: str
    entry_id: str
    cases: list[str]


class StatementStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._lines = database["statements"], database["statement_lines"]

    def add(self, statement: Statement, lines: Sequence[Line], session: Session) -> None:
        row: Document = {name: getattr(statement, name) for name in statement.__slots__ if name != "id"}
        self._rows.insert_one({"_id": statement.id, **row}, session=session)
        pieces: list[Document] = [
            {
                "_id": _piece(statement.id, begin // LINES_AT_ONCE),
                "lines": [
                    {"text": one.text, "index": one.index, "detailed": one.detailed}
                    for one in lines[begin : begin + LINES_AT_ONCE]
                ],
            }
            for begin in range(0, len(lines), LINES_AT_ONCE)
        ]
        if pieces:
            self._lines.insert_many(pieces, session=session)

    def find(self, statement_id: str) -> Statement | None:
        with in_time():
            row = self._rows.find_one({"_id": statement_id})
        return None if row is None else self._statement(row)

    def cases_of(self, statement_ids: Sequence[str]) -> dict[str, list[str]]:
        """The cases that each of them names; those that there are not are absent."""
        if not statement_ids:
            return {}
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": list(statement_ids)}}, {"cases": True}))
        return {row["_id"]: self._statement(row).cases for row in rows}

    def piece(self, statement_id: str, number: int) -> list[Line]:
        """Lines from LINES_AT_ONCE * `number` on; none beyond the last."""
        with in_time():
            row = self._lines.find_one({"_id": _piece(statement_id, number)})
        return [] if row is None else [_line(one) for one in row["lines"]]

    def erase(self, subject_id: str) -> int:
        """Destroy the statements to somebody whose details are destroyed; how many. Safe to repeat."""
        return self._erase({"subject_id": subject_id})

    def erase_before(self, before: datetime) -> int:
        """Destroy those that were issued before; how many. Safe to repeat."""
        return self._erase({"created_at": {"$lt": before}})

    def _erase(self, which: Document) -> int:
        ids = [row["_id"] for row in self._rows.find(which, {"_id": True})]
        for one in ids:
            self._lines.delete_many(_pieces_of(one))
        return int(self._rows.delete_many({"_id": {"$in": ids}}).deleted_count)

    def newest(self, agency_id: str | None, before: str | None, limit: int) -> list[Statement]:
        """Of one agency, or of all; those older than `before`."""
        wanted: Document = {} if agency_id is None else {"agency_id": agency_id}
        if before is not None:
            wanted["_id"] = {"$lt": before}
        with in_time():
            rows = self._rows.find(wanted).sort("_id", DESCENDING).limit(limit)
            return [self._statement(row) for row in rows]

    def _statement(self, row: Document) -> Statement:
        fields: dict[str, Any] = {name: row.get(name) for name in Statement.__slots__ if name != "id"}
        if fields["cases"] is None:  # issued since by an instance from before that was kept
            fields["cases"] = _named_in(self._lines, row["_id"])
        return Statement(id=row["_id"], **fields)


class PickedEntries(EntryStore):
    """Details of single entries, several in one read."""

    def some(self, indexes: Iterable[int]) -> Mapping[int, Detail]:
        """By index; those whose detail was erased are absent."""
        wanted = list(indexes)
        if not wanted:
            return {}
        with in_time():
            rows = self._entries.find({"_id": {"$in": wanted}}, {"words": False})
            return {one.index: one for one in self._opened(list(rows))}


class PickedLeaves(TreeStore):
    """Leaves of single entries, several in one read."""

    def indexes(self, entry_ids: Iterable[str]) -> Mapping[str, int]:
        """By id; those that there are not are absent."""
        with in_time():
            rows = self._leaves.find({"id": {"$in": list(entry_ids)}}, {"id": True})
            return {row["id"]: row["_id"] for row in rows}

    def some(self, indexes: Iterable[int]) -> Mapping[int, tuple[bytes, bytes]]:
        """Leaf and its hash, by index."""
        with in_time():
            rows = self._leaves.find({"_id": {"$in": list(indexes)}})
            return {row["_id"]: (bytes(row["leaf"]), bytes(row["hashes"][:HASH_SIZE])) for row in rows}


def _piece(statement_id: str, number: int) -> str:
    return f"{statement_id}/{number}"


def _pieces_of(statement_id: str) -> Document:
    """The piece's key begins with the statement's; "0" is what follows "/"."""
    return {"_id": {"$gte": f"{statement_id}/", "$lt": f"{statement_id}0"}}


def _line(row: Document) -> Line:
    return Line(row["text"], row["index"], row["detailed"])


def _named_in(lines: Collection[Document], statement_id: str) -> list[str]:
    """The cases that the lines of a statement name."""
    pieces = lines.find(_pieces_of(statement_id))
    return cases_in(_line(one) for piece in pieces for one in piece["lines"])


def _make_indexes(database: Database[Document]) -> None:
    database["statements"].create_index([("agency_id", 1), ("_id", DESCENDING)], name="agency")
    database["statements"].create_index([("subject_id", 1)], name="subject")
    if "statement_lines" not in database.list_collection_names():
        database.create_collection("statement_lines")


def _make_cases(database: Database[Document]) -> None:
    """Which cases they name, for those that were issued before that was kept."""
    rows, lines = database["statements"], database["statement_lines"]
    for row in rows.find({"cases": {"$exists": False}}, {"_id": True}):
        rows.update_one({"_id": row["_id"]}, {"$set": {"cases": _named_in(lines, row["_id"])}})


STEPS = (
    *outbox.STEPS,
    Step("statements_index", _make_indexes),
    Step("statements_cases", _make_cases),
)
