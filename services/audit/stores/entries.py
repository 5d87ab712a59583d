"""The details of entries, and the index under which they are found.

entries      {_id: index, at, sealed: bytes, words: [text], looked?: true, agency, actor, accountable?,
              action, outcome}; erased: {_id, at, erased: when}
detail_keys  {_id: index, kek: kid, key: bytes}: the inventory; an entry whose key is gone is erased

`sealed` is detail and salt, encrypted (`domain/vault.py`). `words` are `domain/lookups.py`'s. `looked`:
something was shown, or refused to be shown. `at` is to the millisecond, the detail has it exactly. How they
are searched is in `stores/finding.py`, what an operator does with them in `stores/upkeep.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.database import Database

from services.audit.domain.leaves import read_detail
from services.audit.domain.lookups import Search, alternatives, words
from services.audit.domain.sequencing import Placed
from services.audit.domain.vault import Sealed, Vault, Wrapped
from services.audit.stores import finding
from services.audit.stores.finding import NEWEST, Place, filter_of, scalars_of
from services.chassis.logkeys import WrappingKeys
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.records import Record

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


class EntryStore:
    """Details of entries."""

    def __init__(self, database: Database[Document], wrapping: Wrapping) -> None:
        self._client, self._wrapping = database.client, wrapping
        self._entries, self._keys = database["entries"], database["detail_keys"]

    def seal(self, placed: Sequence[Placed]) -> Rows:
        vault, rows = self._vault(), Rows([], [])
        for one in placed:
            sealed = vault.seal(one.index, one.leaf)
            rows.entries.append(entry_row(one.index, one.record, sealed.detail))
            rows.keys.append({"_id": one.index, **wrapped_row(sealed.key)})
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
                    self._entries.find(filter_of(one, after), {"words": False})
                    .sort(NEWEST)
                    .limit(limit)
                    .hint("found" if one.each else "time")
                )
                found |= {row["_id"]: row for row in rows}
            newest = sorted(found.values(), key=lambda row: (row["at"], row["_id"]), reverse=True)
            return self._opened(newest[:limit])

    def _vault(self) -> Vault:
        wrapping = self._wrapping()
        return Vault(wrapping.keys, wrapping.current()[0])

    def _opened(self, rows: Sequence[Document]) -> list[Detail]:
        """In their order; without those that are erased."""
        wanted = [row["_id"] for row in rows if "sealed" in row]
        found = self._keys.find({"_id": {"$in": wanted}}) if wanted else ()
        keys = {row["_id"]: key_of(row) for row in found}
        return list(_details(rows, keys, self._vault()))


def _details(rows: Sequence[Document], keys: Mapping[int, Wrapped], vault: Vault) -> Iterator[Detail]:
    for row in rows:
        index = int(row["_id"])
        if "detail" in row:  # kept by an earlier version, until `seal_old`
            yield Detail(index, row["at"], str(row["detail"]), bytes(row["salt"]))
        elif index in keys and "sealed" in row:
            text, salt = vault.open(index, Sealed(bytes(row["sealed"]), keys[index]))
            yield Detail(index, row["at"], text, salt)


def entry_row(index: int, record: Record, sealed: bytes) -> Document:
    found = words(record)
    return {
        "_id": index,
        "at": record.at,
        "sealed": sealed,
        "words": found,
        **scalars_of(found),
        **({"looked": True} if record.how is not None else {}),
    }


def wrapped_row(wrapped: Wrapped) -> Document:
    return {"kek": wrapped.kid, "key": wrapped.key}


def key_of(row: Document) -> Wrapped:
    return Wrapped(str(row["kek"]), bytes(row["key"]))


def _make_inventory(database: Database[Document]) -> None:
    if "detail_keys" not in database.list_collection_names():
        database.create_collection("detail_keys")


STEPS = (finding.STEPS[0], Step("detail_keys", _make_inventory), *finding.STEPS[1:])
