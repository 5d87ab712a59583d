"""What an operator does with the details of entries: destroys them, wraps their keys anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import ASCENDING, UpdateOne

from services.audit.domain.leaves import Leaf
from services.audit.domain.lookups import Search
from services.audit.domain.vault import Sealed, Wrapped
from services.audit.stores.entries import EntryStore, Rows, key_of, wrapped_row
from services.audit.stores.finding import FOUND_BY, filter_of
from services.chassis.deadline import Deadline
from services.chassis.mongo import LONGEST, Session, transact

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry's detail as it is stored: encrypted, with its key; or when both were destroyed."""

    index: int
    sealed: bytes | None
    key: Wrapped | None
    erased: datetime | None


class EntryUpkeep(EntryStore):
    """Details of entries, with what no service does to them."""

    def erase(self, search: Search, now: datetime) -> int:
        """Destroy details, salts and their keys of what matches; how many. Their leaves stay, and all proofs.

        Words go as well: nobody is found under them any more. Safe to repeat: each part is a transaction.
        """
        erased = 0
        while found := [
            row["_id"] for row in self._entries.find(filter_of(search, None), {"_id": 1}).limit(AT_ONCE)
        ]:
            self._destroy(found, now)
            erased += len(found)
        return erased

    def erase_before(self, before: datetime, now: datetime) -> int:
        """The same with everything that happened before; how many."""
        erased, since = 0, datetime.min.replace(tzinfo=UTC)
        while rows := list(
            self._entries.find(
                {"at": {"$gte": since, "$lt": before}, "erased": {"$exists": False}}, {"at": True}
            )
            .sort("at", ASCENDING)
            .limit(AT_ONCE)
        ):
            self._destroy([row["_id"] for row in rows], now)
            erased, since = erased + len(rows), rows[-1]["at"]
        return erased

    def _destroy(self, ids: Sequence[int], now: datetime) -> None:
        def destroy(session: Session) -> None:
            gone = {"$unset": dict.fromkeys(FOUND_BY, ""), "$set": {"erased": now}}
            self._entries.update_many({"_id": {"$in": list(ids)}}, gone, session=session)
            self._keys.delete_many({"_id": {"$in": list(ids)}}, session=session)

        transact(self._client, Deadline.after(LONGEST), destroy)

    def stored(self, begin: int, end: int) -> list[Kept]:
        """As they are stored, from `begin` to before `end`, in their order."""
        span = {"_id": {"$gte": begin, "$lt": end}}
        keys = {row["_id"]: key_of(row) for row in self._keys.find(span)}
        rows = self._entries.find(span, {"sealed": True, "erased": True}).sort("_id", ASCENDING)
        return [
            Kept(
                row["_id"],
                bytes(row["sealed"]) if "sealed" in row else None,
                keys.get(row["_id"]),
                row.get("erased"),
            )
            for row in rows
        ]

    def put(self, rows: Rows) -> None:
        """Store what was read back from files."""
        self._entries.insert_many(rows.entries)
        if rows.keys:
            self._keys.insert_many(rows.keys)

    def rewrap(self) -> int:
        """Wrap with the current key whatever is wrapped with another; how many. Details stay as they are."""
        vault, rewrapped, after = self._vault(), 0, -1
        while rows := list(self._keys.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(AT_ONCE)):
            after = rows[-1]["_id"]
            changes = [
                UpdateOne(
                    {"_id": row["_id"], "key": row["key"]},
                    {"$set": wrapped_row(vault.rewrap(row["_id"], key_of(row)))},
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
                rows = [{"_id": index, **wrapped_row(one.key)} for index, one in sealed.items()]
                self._keys.insert_many(rows, session=session)

            transact(self._client, Deadline.after(LONGEST), replace)
            count += len(rows)
        return count
