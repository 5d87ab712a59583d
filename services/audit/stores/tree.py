"""The tree and its checkpoints.

tree         {_id: "log", size, origin}: how many entries there are
leaves       {_id: index, id: entry id, leaf: bytes, hashes: bytes}; `hashes` are those of the subtrees that
             are complete with this leaf, its own first, 32 bytes each
checkpoints  {_id: size, root: bytes, note, at}: signed after a majority had the entries

Leaves and checkpoints are in a database of their own, named as the service's and `_log`: the service's user
may add to it and read it, and can neither change nor delete there (`deploy/store.py`).

`tree.size` is compared and set in the transaction that adds the leaves, and a leaf's index is its `_id`: of
two writers that start from the same tree one alone succeeds, so that a log cannot fork.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.audit.domain.merkle import HASH_SIZE, Frontier, Node, Range, cover
from services.audit.domain.notes import Statement
from services.audit.domain.sequencing import Placed
from services.chassis import metrics
from services.chassis.logs import log
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import LogDamaged

_LOG = {"_id": "log"}
_DUPLICATE = 11000


class Raced(Exception):
    """The tree is not as the writer thought: another one has written."""


class Forked(Exception):
    """There is a signed checkpoint of the same size and another root. Nobody may go on; people MUST look."""


class OtherLog(Exception):
    """The log in this database has another name than the one that is to be signed."""


def damaged(index: int) -> LogDamaged:
    """Tell of a part of the log that is missing; the error to be raised. `concordat audit fsck` says more."""
    log.error("log_damaged", number=index)
    metrics.log_damaged()
    return LogDamaged(cause=f"index {index} is missing from the log: run concordat audit fsck")


def append_only(database: Database[Document]) -> Database[Document]:
    """Where the service can only add."""
    return database.client[f"{database.name}_log"]


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf as it is stored, with the hashes of the subtrees that are complete with it."""

    index: int
    id: str
    leaf: bytes
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint as it is kept."""

    size: int
    root: bytes
    note: str
    at: datetime


class TreeStore:
    """Leaves, the hashes above them, checkpoints."""

    def __init__(self, database: Database[Document]) -> None:
        kept = append_only(database)
        self._tree, self._leaves = database["tree"], kept["leaves"]
        self._checkpoints = kept["checkpoints"]

    def claim(self, origin: str) -> None:
        """Name the log, the first time. Raises OtherLog."""
        with in_time():
            with suppress(DuplicateKeyError):
                self._tree.update_one(_LOG, {"$setOnInsert": {"size": 0, "origin": origin}}, upsert=True)
            row = self._tree.find_one(_LOG)
        if row is None or row["origin"] != origin:
            raise OtherLog("CONCORDAT_LOG_ORIGIN is not the origin of the log in this database")

    def size(self) -> int:
        with in_time():
            row = self._tree.find_one(_LOG, {"size": True})
        return 0 if row is None else int(row["size"])

    def frontier(self, size: int) -> Frontier:
        """The tree as it was, or is, with `size` entries."""
        wanted = cover(Range(0, size))
        found = self.hashes(wanted)
        return Frontier(size, tuple(found[node] for node in wanted))

    def hashes(self, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
        """The hashes of complete subtrees, in one read. Raises LogDamaged for one that is not there."""
        wanted = list(wanted)
        with in_time():
            rows = {
                row["_id"]: bytes(row["hashes"])
                for row in self._leaves.find(
                    {"_id": {"$in": list({node.leaf for node in wanted})}}, {"hashes": True}
                )
            }
        found = {
            node: rows.get(node.leaf, b"")[node.height * HASH_SIZE : (node.height + 1) * HASH_SIZE]
            for node in wanted
        }
        if missing := [node.leaf for node, hashed in found.items() if len(hashed) != HASH_SIZE]:
            raise damaged(min(missing))
        return found

    def grow(self, before: int, placed: Sequence[Placed], session: Session) -> None:
        """Add leaves to the tree of `before` entries. Raises Raced, also for an entry that is there."""
        grown = {"$set": {"size": before + len(placed)}}
        if not self._tree.update_one({**_LOG, "size": before}, grown, session=session).matched_count:
            raise Raced
        try:
            self._leaves.insert_many([_row(one) for one in placed], session=session)
        except BulkWriteError as problem:
            if any(error["code"] == _DUPLICATE for error in problem.details["writeErrors"]):
                raise Raced from None
            raise

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of the entries that are in the log."""
        with in_time():
            return {row["id"] for row in self._leaves.find({"id": {"$in": list(ids)}}, {"_id": 0, "id": 1})}

    def find(self, entry_id: str) -> tuple[int, bytes] | None:
        """Index and leaf of an entry."""
        with in_time():
            row = self._leaves.find_one({"id": entry_id}, {"leaf": True})
        return None if row is None else (int(row["_id"]), bytes(row["leaf"]))

    def leaves(self, begin: int, end: int) -> list[tuple[int, bytes, bytes]]:
        """Index, leaf and hash of the entries from `begin` to before `end`."""
        with in_time():
            rows = self._leaves.find({"_id": {"$gte": begin, "$lt": end}}).sort("_id", ASCENDING)
            return [(row["_id"], bytes(row["leaf"]), bytes(row["hashes"][:HASH_SIZE])) for row in rows]

    def stored(self, begin: int, end: int) -> list[StoredLeaf]:
        """Leaves as they are stored, from `begin` to before `end`."""
        with in_time():
            rows = self._leaves.find({"_id": {"$gte": begin, "$lt": end}}).sort("_id", ASCENDING)
            return [
                StoredLeaf(row["_id"], str(row["id"]), bytes(row["leaf"]), bytes(row["hashes"]))
                for row in rows
            ]

    def history(self) -> Iterator[Kept]:
        """Every checkpoint, the oldest first."""
        after = -1
        while rows := list(
            self._checkpoints.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(1000)
        ):
            after = rows[-1]["_id"]
            yield from map(_kept, rows)

    def check_point(self, statement: Statement, note: str, now: datetime) -> None:
        """Keep a checkpoint; the same one again changes nothing. Raises Forked."""
        row = {"_id": statement.size, "root": statement.root, "note": note, "at": now}
        try:
            with in_time():
                self._checkpoints.insert_one(row)
        except DuplicateKeyError:
            with in_time():
                kept = self._checkpoints.find_one({"_id": statement.size}, {"root": True})
            if kept is not None and bytes(kept["root"]) != statement.root:
                raise Forked from None

    def note(self, size: int) -> str | None:
        """The checkpoint of that size."""
        with in_time():
            row = self._checkpoints.find_one({"_id": size}, {"note": True})
        return None if row is None else str(row["note"])

    def checkpoints(self, below: int | None, limit: int) -> list[Kept]:
        """The newest of those with fewer entries than `below`."""
        wanted: Document = {} if below is None else {"_id": {"$lt": below}}
        with in_time():
            rows = self._checkpoints.find(wanted).sort("_id", DESCENDING).limit(limit)
            return [_kept(row) for row in rows]

    def latest(self) -> tuple[int, bytes, str] | None:
        """Size, root and note of the newest checkpoint."""
        with in_time():
            row = self._checkpoints.find_one(sort=[("_id", DESCENDING)])
        return None if row is None else (int(row["_id"]), bytes(row["root"]), str(row["note"]))


def _kept(row: Document) -> Kept:
    return Kept(int(row["_id"]), bytes(row["root"]), str(row["note"]), row["at"])


def _row(placed: Placed) -> Document:
    return {
        "_id": placed.index,
        "id": placed.record.id,
        "leaf": placed.leaf.leaf,
        "hashes": b"".join(placed.complete),
    }


def _make_collections(database: Database[Document]) -> None:
    kept = append_only(database)
    kept["leaves"].create_index([("id", ASCENDING)], name="entry", unique=True)
    for where, name in ((database, "tree"), (kept, "checkpoints")):
        if name not in where.list_collection_names():
            where.create_collection(name)


def _move(database: Database[Document]) -> None:
    """What an earlier version kept beside the working collections, where it could be changed."""
    kept = append_only(database)
    for name in {"leaves", "checkpoints"} & set(database.list_collection_names()):
        with suppress(BulkWriteError):
            for rows in _batches(database[name].find().sort("_id", ASCENDING)):
                kept[name].insert_many(rows, ordered=False)
        if kept[name].count_documents({}) >= database[name].count_documents({}):
            database[name].drop()


def _batches(rows: Iterable[Document]) -> Iterator[list[Document]]:
    left = iter(rows)
    while batch := list(islice(left, 1000)):
        yield batch


STEPS = (Step("log_collections", _make_collections), Step("log_moved", _move))
