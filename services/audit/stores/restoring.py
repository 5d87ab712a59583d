"""Putting a log that was kept as files back into an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pymongo.errors import BulkWriteError

from services.audit.stores.tree import Kept, StoredLeaf, TreeStore


class NotEmpty(Exception):
    """There is a log here already, or there was one: nothing is mixed."""


class RestoredTree(TreeStore):
    """Its size is set last, so that half a log is none: a writer meanwhile finds the first leaf taken, and
    its records wait in their queue."""

    def begin(self, origin: str) -> None:
        """Raises NotEmpty, OtherLog."""
        self.claim(origin)
        latest = self.latest()
        if self.size() or (latest is not None and latest[0]) or self._leaves.find_one({}, {"_id": True}):
            raise NotEmpty

    def put(self, leaves: Sequence[StoredLeaf]) -> None:
        """Raises NotEmpty."""
        try:
            self._leaves.insert_many(
                [{"_id": one.index, "id": one.id, "leaf": one.leaf, "hashes": one.hashes} for one in leaves]
            )
        except BulkWriteError:
            raise NotEmpty from None

    def finish(self, size: int, history: Iterable[Kept]) -> None:
        """Raises NotEmpty."""
        rows = [
            {"_id": one.size, "root": one.root, "note": one.note, "at": one.at}
            for one in history
            if one.size or self.latest() is None
        ]
        if rows:
            self._checkpoints.insert_many(rows)
        if not self._tree.update_one({"_id": "log", "size": 0}, {"$set": {"size": size}}).matched_count:
            raise NotEmpty
