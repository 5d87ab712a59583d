"""The details of entries, and the index under which they are found.

entries  {_id: index, at, detail: text, salt: bytes, words: [text], looked?: true}

`words` are `domain/lookups.py`'s. `looked`: something was shown, or refused to be shown. `at` is to the
millisecond, `detail` has it exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.audit.domain.leaves import read_detail
from services.audit.domain.lookups import AnyOf, Search, words
from services.audit.domain.sequencing import Placed
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.records import Record

_NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]


@dataclass(frozen=True, slots=True)
class Detail:
    """What is kept of an entry beside its leaf."""

    index: int
    at: datetime
    text: str
    salt: bytes

    @property
    def record(self) -> Record:
        return read_detail(self.text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after the entry of this time and index."""

    at: datetime
    index: int


class EntryStore:
    """Details of entries."""

    def __init__(self, database: Database[Document]) -> None:
        self._entries = database["entries"]

    def add(self, placed: Sequence[Placed], session: Session) -> None:
        self._entries.insert_many([_row(one) for one in placed], session=session)

    def find(self, index: int) -> Detail | None:
        with in_time():
            row = self._entries.find_one({"_id": index})
        return None if row is None else _detail(row)

    def between(self, begin: int, end: int) -> dict[int, Detail]:
        """By index; those whose detail was erased are absent."""
        with in_time():
            rows = self._entries.find({"_id": {"$gte": begin, "$lt": end}}, {"words": False})
            return {row["_id"]: _detail(row) for row in rows}

    def newest(self, search: Search, limit: int, after: Place | None) -> list[Detail]:
        """What matches, the newest act first."""
        entered = bool(search.each)
        with in_time():
            rows = (
                self._entries.find(_filter(search, after), {"words": False})
                .sort(_NEWEST)
                .limit(limit)
                .hint("words" if entered else "time")
            )
            return [_detail(row) for row in rows]


def _filter(search: Search, after: Place | None) -> Document:
    found: Document = {}
    if search.each:
        found["words"] = {"$in": list(search.each[0])}
    if search.looks:
        found["looked"] = True
    times = dict(_times(search, after))
    if times:
        found["at"] = times
    if after is not None:
        found["$or"] = [{"at": {"$lt": after.at}}, {"_id": {"$lt": after.index}}]
    if len(search.each) > 1:
        # As expressions, which no index is entered with.
        found["$expr"] = {"$and": [_has(one) for one in search.each[1:]]}
    return found


def _times(search: Search, after: Place | None) -> Iterator[tuple[str, datetime]]:
    if search.since is not None:
        yield "$gte", search.since
    if search.until is not None:
        yield "$lt", search.until
    if after is not None:
        yield "$lte", after.at


def _has(one: AnyOf) -> Document:
    found: list[Any] = [{"$in": [word, "$words"]} for word in one]
    return found[0] if len(found) == 1 else {"$or": found}


def _row(placed: Placed) -> Document:
    record = placed.record
    return {
        "_id": placed.index,
        "at": record.at,
        "detail": placed.leaf.detail,
        "salt": placed.leaf.salt,
        "words": words(record),
        **({"looked": True} if record.how is not None else {}),
    }


def _detail(row: Document) -> Detail:
    return Detail(int(row["_id"]), row["at"], str(row["detail"]), bytes(row["salt"]))


def _make_indexes(database: Database[Document]) -> None:
    database["entries"].create_index([("words", ASCENDING), *_NEWEST], name="words")
    database["entries"].create_index(_NEWEST, name="time")


STEPS = (Step("entries_index", _make_indexes),)
