"""What an operator does with the details of entries: destroys them, wraps their keys anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, UpdateOne

from services.audit.domain.leaves import Leaf
from services.audit.domain.lookups import Search
from services.audit.domain.vault import Sealed
from services.audit.stores.entries import EntryStore, key_of, wrapped_row
from services.audit.stores.finding import FOUND_BY, filter_of
from services.chassis.deadline import Deadline
from services.chassis.mongo import LONGEST, Session, transact

AT_ONCE = 500


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

            def destroy(session: Session, ids: Sequence[int] = tuple(found)) -> None:
                gone = {"$unset": dict.fromkeys(FOUND_BY, ""), "$set": {"erased": now}}
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
