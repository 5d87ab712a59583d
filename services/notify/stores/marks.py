"""Which items a principal has read.

marks  {_id: principal, up_to: everything numbered so far is read}
reads  {_id: "principal/item", principal, n, read, stored_at}: marks of single items, forgotten with the items
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.notify.domain.items import Item
from services.notify.stores.items import KEPT_SECONDS


@dataclass(frozen=True, slots=True)
class Marks:
    """What one principal has read, as far as was asked."""

    up_to: int = 0
    single: dict[str, bool] = field(default_factory=dict)

    def read(self, item: Item) -> bool:
        return self.single.get(item.id, item.n <= self.up_to)


class MarkStore:
    """Marks in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._marks, self._reads = database["marks"], database["reads"]

    def up_to(self, principal: str) -> int:
        with in_time():
            row = self._marks.find_one({"_id": principal})
        return 0 if row is None else int(row["up_to"])

    def of(self, principal: str, up_to: int, items: Iterable[Item]) -> Marks:
        """The marks of these items."""
        ids = [f"{principal}/{item.id}" for item in items]
        if not ids:
            return Marks(up_to)
        with in_time():
            rows: Sequence[Document] = list(self._reads.find({"_id": {"$in": ids}}))
        return Marks(up_to, {row["_id"].rpartition("/")[2]: row["read"] for row in rows})

    def mark(self, principal: str, item: Item, read: bool, session: Session) -> None:
        """Mark one item."""
        row = {"principal": principal, "n": item.n, "read": read, "stored_at": datetime.now(UTC)}
        self._reads.update_one({"_id": f"{principal}/{item.id}"}, {"$set": row}, upsert=True, session=session)

    def mark_up_to(self, principal: str, n: int, session: Session) -> None:
        """Mark everything up to and with number `n` as read; what was said of single ones is forgotten."""
        self._marks.update_one({"_id": principal}, {"$max": {"up_to": n}}, upsert=True, session=session)
        self._reads.delete_many({"principal": principal, "n": {"$lte": n}}, session=session)


def _make_indexes(database: Database[Document]) -> None:
    reads = database["reads"]
    reads.create_index([("principal", ASCENDING), ("n", ASCENDING)], name="principal_n")
    reads.create_index([("stored_at", ASCENDING)], name="kept", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("reads_indexes", _make_indexes),)
