"""How entries are found: a search as the database is asked it, and the indexes that answer it.

One index is entered with a word and a span of time; behind them it has the scalars of an entry (agency,
actor, accountable, action, outcome, looked), by which a second condition is judged before an entry is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.database import Database

from services.audit.domain.lookups import AnyOf, Search
from services.chassis.migrations import Step
from services.chassis.mongo import Document

NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after the entry of this time and index."""

    at: datetime
    index: int


def filter_of(search: Search, after: Place | None) -> Document:
    found: Document = {}
    if search.each:
        found["words"] = {"$in": list(search.each[0])}
    else:
        # It has no words any more, and is found by none; where no word is asked for, it would shorten a page.
        found["erased"] = {"$exists": False}
    if search.looks:
        found["looked"] = True
    if search.but:
        found["_id"] = {"$nin": list(search.but)}  # stands in the index: none of them is read
    times = dict(_times(search, after))
    if times:
        found["at"] = times
    if after is not None:
        found["$or"] = [{"at": {"$lt": after.at}}, {"_id": {"$lt": after.index}}]
    # By scalars, which stand in the index; else as expressions, which no index is entered with.
    rest = [one for one in search.each[1:] if not _implied(one)]
    if scalars := [_scalar(one) for one in rest if _is_scalar(one)]:
        found["$and"] = scalars
    if words_ := [_has(one) for one in rest if not _is_scalar(one)]:
        found["$expr"] = {"$and": words_}
    return found


_SCALARS = {"a:": "agency", "p:": "actor", "q:": "accountable", "x:": "action", "o:": "outcome"}
FOUND_BY = ("sealed", "words", "looked", *_SCALARS.values())


def _implied(one: AnyOf) -> bool:
    """`x:action|refused` in the second place: action and outcome stand there by themselves."""
    return all(word.startswith("x:") and word.endswith("|refused") for word in one)


def _is_scalar(one: AnyOf) -> bool:
    return all(word[:2] in _SCALARS and "|" not in word for word in one)


def _scalar(one: AnyOf) -> Document:
    """`$in` of one field is judged in the index; `$or` is not, so it is avoided (`alternatives`)."""
    by: dict[str, list[str]] = {}
    for word in one:
        by.setdefault(_SCALARS[word[:2]], []).append(word[2:])
    found: list[Document] = [{name: {"$in": values}} for name, values in by.items()]
    return found[0] if len(found) == 1 else {"$or": found}


def scalars_of(words: Sequence[str]) -> Document:
    """The first word of each kind is the one without a suffix."""
    found: Document = {}
    for word in words:
        if word[:2] in _SCALARS and "|" not in word:
            found.setdefault(_SCALARS[word[:2]], word[2:])
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


def _make_indexes(database: Database[Document]) -> None:
    database["entries"].create_index(NEWEST, name="time")


def _make_found(database: Database[Document]) -> None:
    """Scalars for the entries that an earlier version kept without, then the index that has them."""
    entries = database["entries"]
    while rows := list(
        entries.find({"words": {"$exists": True}, "action": {"$exists": False}}, {"words": True}).limit(
            _AT_ONCE
        )
    ):
        entries.bulk_write(
            [UpdateOne({"_id": row["_id"]}, {"$set": scalars_of(row["words"])}) for row in rows],
            ordered=False,
        )
    behind = [(name, ASCENDING) for name in (*_SCALARS.values(), "looked")]
    entries.create_index([("words", ASCENDING), *NEWEST, *behind], name="found")
    if "words" in entries.index_information():
        entries.drop_index("words")


STEPS = (Step("entries_index", _make_indexes), Step("entries_found", _make_found))
