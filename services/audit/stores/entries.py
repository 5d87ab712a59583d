"""The details of entries, and the index under which they are found.

entries      {_id: index, at, sealed: bytes, words: [text], looked?: true, agency, actor, accountable?,
              action, outcome}; erased: {_id, at, erased: when}
detail_keys  {_id: index, kek: kid, key: bytes}: the inventory; an entry whose key is gone is erased

`sealed` is detail and salt, encrypted (`domain/vault.py`). `words` are `domain/lookups.py`'s. `looked`:
something was shown, or refused to be shown. `at` is to the millisecond, the detail has it exactly. The
scalars stand behind the words in their index: a second condition is judged before an entry is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.database import Database

from services.audit.domain.leaves import Leaf, read_detail
from services.audit.domain.lookups import AnyOf, Search, alternatives, words
from services.audit.domain.sequencing import Placed
from services.audit.domain.vault import Sealed, Vault, Wrapped
from services.chassis.deadline import Deadline
from services.chassis.logkeys import WrappingKeys
from services.chassis.migrations import Step
from services.chassis.mongo import LONGEST, Document, Session, in_time, transact
from services.contracts.records import Record

_NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]
AT_ONCE = 500

Wrapping = Callable[[], WrappingKeys]


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
class Rows:
    """What is to be stored of a batch: made once, however often its transaction runs."""

    entries: list[Document]
    keys: list[Document]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after the entry of this time and index."""

    at: datetime
    index: int


class EntryStore:
    """Details of entries."""

    def __init__(self, database: Database[Document], wrapping: Wrapping) -> None:
        self._client, self._wrapping = database.client, wrapping
        self._entries, self._keys = database["entries"], database["detail_keys"]

    def seal(self, placed: Sequence[Placed]) -> Rows:
        vault, rows = self._vault(), Rows([], [])
        for one in placed:
            sealed = vault.seal(one.index, one.leaf)
            rows.entries.append(_row(one, sealed))
            rows.keys.append({"_id": one.index, **_wrapped(sealed.key)})
        return rows

    def add(self, rows: Rows, session: Session) -> None:
        self._entries.insert_many(rows.entries, session=session)
        self._keys.insert_many(rows.keys, session=session)

    def find(self, index: int) -> Detail | None:
        """None for an entry that there is not, or whose detail was erased."""
        with in_time():
            row = self._entries.find_one({"_id": index}, {"words": False})
            found = [] if row is None else self._opened([row])
        return found[0] if found else None

    def between(self, begin: int, end: int) -> dict[int, Detail]:
        """By index; those whose detail was erased are absent."""
        with in_time():
            rows = self._entries.find({"_id": {"$gte": begin, "$lt": end}}, {"words": False})
            return {detail.index: detail for detail in self._opened(list(rows))}

    def erased(self, begin: int, end: int) -> set[int]:
        """The indexes of those whose detail was erased."""
        with in_time():
            rows = self._entries.find(
                {"_id": {"$gte": begin, "$lt": end}, "erased": {"$exists": True}}, {"_id": 1}
            )
            return {row["_id"] for row in rows}

    def newest(self, search: Search, limit: int, after: Place | None) -> list[Detail]:
        """What matches, the newest act first."""
        found: dict[int, Document] = {}
        with in_time():
            for one in alternatives(search):
                rows = (
                    self._entries.find(_filter(one, after), {"words": False})
                    .sort(_NEWEST)
                    .limit(limit)
                    .hint("found" if one.each else "time")
                )
                found |= {row["_id"]: row for row in rows}
            newest = sorted(found.values(), key=lambda row: (row["at"], row["_id"]), reverse=True)
            return self._opened(newest[:limit])

    def erase(self, search: Search, now: datetime) -> int:
        """Destroy details, salts and their keys of what matches; how many. Their leaves stay, and all proofs.

        Words go as well: nobody is found under them any more. Safe to repeat: each part is a transaction.
        """
        erased = 0
        while found := [
            row["_id"] for row in self._entries.find(_filter(search, None), {"_id": 1}).limit(AT_ONCE)
        ]:

            def destroy(session: Session, ids: Sequence[int] = tuple(found)) -> None:
                gone = {"$unset": dict.fromkeys(_FOUND_BY, ""), "$set": {"erased": now}}
                self._entries.update_many({"_id": {"$in": list(ids)}}, gone, session=session)
                self._keys.delete_many({"_id": {"$in": list(ids)}}, session=session)

            transact(self._client, Deadline.after(LONGEST), destroy)
            erased += len(found)
        return erased

    def rewrap(self) -> int:
        """Wrap with the current key whatever is wrapped with another; how many. Details stay as they are."""
        vault, rewrapped, after = self._vault(), 0, -1
        while rows := list(self._keys.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(AT_ONCE)):
            after = rows[-1]["_id"]
            changes = [
                UpdateOne(
                    {"_id": row["_id"], "key": row["key"]},
                    {"$set": _wrapped(vault.rewrap(row["_id"], _key(row)))},
                )
                for row in rows
                if row["kek"] != vault.current
            ]
            if changes:
                rewrapped += self._keys.bulk_write(changes, ordered=False).modified_count
        return rewrapped

    def seal_old(self) -> int:
        """Encrypt what an earlier version kept in the clear; how many."""
        vault, count = self._vault(), 0
        while rows := list(
            self._entries.find({"detail": {"$exists": True}}, {"words": False}).limit(AT_ONCE)
        ):
            sealed = {
                row["_id"]: vault.seal(row["_id"], Leaf(b"", str(row["detail"]), bytes(row["salt"])))
                for row in rows
            }

            def replace(session: Session, sealed: Mapping[int, Sealed] = sealed) -> None:
                changes = [
                    UpdateOne(
                        {"_id": index}, {"$unset": {"detail": "", "salt": ""}, "$set": {"sealed": one.detail}}
                    )
                    for index, one in sealed.items()
                ]
                self._entries.bulk_write(changes, ordered=False, session=session)
                rows = [{"_id": index, **_wrapped(one.key)} for index, one in sealed.items()]
                self._keys.insert_many(rows, session=session)

            transact(self._client, Deadline.after(LONGEST), replace)
            count += len(rows)
        return count

    def _vault(self) -> Vault:
        wrapping = self._wrapping()
        return Vault(wrapping.keys, wrapping.current()[0])

    def _opened(self, rows: Sequence[Document]) -> list[Detail]:
        """In their order; without those that are erased."""
        wanted = [row["_id"] for row in rows if "sealed" in row]
        found = self._keys.find({"_id": {"$in": wanted}}) if wanted else ()
        keys = {row["_id"]: _key(row) for row in found}
        return list(_details(rows, keys, self._vault()))


def _details(rows: Sequence[Document], keys: Mapping[int, Wrapped], vault: Vault) -> Iterator[Detail]:
    for row in rows:
        index = int(row["_id"])
        if "detail" in row:  # kept by an earlier version, until `seal_old`
            yield Detail(index, row["at"], str(row["detail"]), bytes(row["salt"]))
        elif index in keys and "sealed" in row:
            text, salt = vault.open(index, Sealed(bytes(row["sealed"]), keys[index]))
            yield Detail(index, row["at"], text, salt)


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
    # By scalars, which stand in the index; else as expressions, which no index is entered with.
    rest = [one for one in search.each[1:] if not _implied(one)]
    if scalars := [_scalar(one) for one in rest if _is_scalar(one)]:
        found["$and"] = scalars
    if words_ := [_has(one) for one in rest if not _is_scalar(one)]:
        found["$expr"] = {"$and": words_}
    return found


_SCALARS = {"a:": "agency", "p:": "actor", "q:": "accountable", "x:": "action", "o:": "outcome"}
_FOUND_BY = ("sealed", "words", "looked", *_SCALARS.values())


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


def _scalars_of(words: Sequence[str]) -> Document:
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


def _row(placed: Placed, sealed: Sealed) -> Document:
    record = placed.record
    found = words(record)
    return {
        "_id": placed.index,
        "at": record.at,
        "sealed": sealed.detail,
        "words": found,
        **_scalars_of(found),
        **({"looked": True} if record.how is not None else {}),
    }


def _wrapped(wrapped: Wrapped) -> Document:
    return {"kek": wrapped.kid, "key": wrapped.key}


def _key(row: Document) -> Wrapped:
    return Wrapped(str(row["kek"]), bytes(row["key"]))


def _make_indexes(database: Database[Document]) -> None:
    database["entries"].create_index(_NEWEST, name="time")


def _make_found(database: Database[Document]) -> None:
    """Scalars for the entries that an earlier version kept without, then the index that has them."""
    entries = database["entries"]
    while rows := list(
        entries.find({"words": {"$exists": True}, "action": {"$exists": False}}, {"words": True}).limit(
            AT_ONCE
        )
    ):
        entries.bulk_write(
            [UpdateOne({"_id": row["_id"]}, {"$set": _scalars_of(row["words"])}) for row in rows],
            ordered=False,
        )
    behind = [(name, ASCENDING) for name in (*_SCALARS.values(), "looked")]
    entries.create_index([("words", ASCENDING), *_NEWEST, *behind], name="found")
    if "words" in entries.index_information():
        entries.drop_index("words")


def _make_inventory(database: Database[Document]) -> None:
    if "detail_keys" not in database.list_collection_names():
        database.create_collection("detail_keys")


STEPS = (
    Step("entries_index", _make_indexes),
    Step("detail_keys", _make_inventory),
    Step("entries_found", _make_found),
)
