"""What happened, in the order in which `notify` numbered it.

items     {_id, event_id, type, source, number, at, case_id, keys, withheld_from, entry_id?, task_id?,
          share_id?, section?, assignee?, actor_id?, owner_agency_id?, alert?, reminder?, object_id?,
          stored_at, n, or waiting: true}; case_id is empty where it is about none
counters  {_id: "items", n: the last number given}

An event's handler stores an item without a number, so that handlers of different cases do not wait for each
other; `number_waiting` gives numbers, in transactions that take turns on the counter. So numbers become
visible in their order, and who has read up to one has missed none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument, UpdateOne
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time, transact, within
from services.notify.domain.items import Item, in_order
from services.notify.stores.rows import from_row, to_row

KEPT_SECONDS = 90 * 24 * 3600
BATCH = 200
LATELY, LOOK_ANYWAY = 5.0, 0.5
"""Seconds: an event's transaction has ended for long, or has not begun; between looks with nothing to do."""
_WAITING = {"waiting": True}


class ItemStore:
    """Items in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._client, self._items, self._counters = database.client, database["items"], database["counters"]
        self._lately = self._looked = float("-inf")

    def add(self, items: Sequence[Item], session: Session) -> None:
        """Store items, not yet numbered."""
        now = datetime.now(UTC)
        self._items.insert_many(
            [{**to_row(item), **_WAITING, "stored_at": now} for item in items], session=session
        )
        self._lately = time.monotonic()

    def number_waiting(self, deadline: Deadline) -> int:
        """Number what waits, and say how many that were. Any instance may do it, at any time."""
        if not self._looks():
            return 0
        with within(deadline):
            if self._items.find_one(_WAITING, {"_id": True}) is None:
                return 0
        return transact(self._client, deadline, self._number)

    def _looks(self) -> bool:
        """Often while this process stores items; else now and then, for those of one that died."""
        now = time.monotonic()
        if now > self._lately + LATELY and now < self._looked + LOOK_ANYWAY:
            return False
        self._looked = now
        return True

    def _number(self, session: Session) -> int:
        found = self._items.find(_WAITING, session=session).sort("_id", ASCENDING).limit(BATCH)
        items = in_order([from_row(row) for row in found])
        if not items:  # another instance was quicker
            return 0
        counter: Document = self._counters.find_one_and_update(  # type: ignore[assignment]  # never None
            {"_id": "items"},
            {"$inc": {"n": len(items)}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        first = counter["n"] - len(items) + 1
        self._items.bulk_write(
            [
                UpdateOne({"_id": item.id}, {"$set": {"n": first + place}, "$unset": {"waiting": True}})
                for place, item in enumerate(items)
            ],
            ordered=False,
            session=session,
        )
        return len(items)

    def latest(self) -> int:
        """The last number given."""
        with in_time():
            row = self._counters.find_one({"_id": "items"})
        return 0 if row is None else int(row["n"])

    def after(self, n: int, limit: int) -> Sequence[Item]:
        """Whomever they concern, oldest first."""
        with in_time():
            return [
                from_row(row) for row in self._items.find({"n": {"$gt": n}}).sort("n", ASCENDING).limit(limit)
            ]

    def addressed_after(self, keys: Sequence[str], n: int, limit: int) -> Sequence[Item]:
        """To any of these keys, oldest first."""
        return self._addressed({"keys": {"$in": list(keys)}, "n": {"$gt": n}}, ASCENDING, limit)

    def addressed_before(
        self,
        keys: Sequence[str],
        n: int | None,
        limit: int,
        *,
        but_by: str,
        since: int = 0,
        until: datetime | None = None,
    ) -> Sequence[Item]:
        """To any of these keys, newest first, numbered above `since` and below `n`, not caused by `but_by`,
        and that happened at or before `until`."""
        span = {"$gt": since} | ({} if n is None else {"$lt": n})
        found: Document = {"keys": {"$in": list(keys)}, "n": span, "actor_id": {"$ne": but_by}}
        if until is not None:
            found["at"] = {"$lte": until}
        return self._addressed(found, DESCENDING, limit)

    def addressed(self, keys: Sequence[str], item_id: str) -> Item | None:
        """One item, if it is to any of these keys."""
        with in_time():
            row = self._items.find_one({"_id": item_id, "keys": {"$in": list(keys)}, "n": {"$gt": 0}})
        return None if row is None else from_row(row)

    def _addressed(self, found: dict[str, Any], direction: int, limit: int) -> Sequence[Item]:
        with in_time():
            # A plan that the server found for a busy principal would read everything for a quiet one.
            rows = self._items.find(found).sort("n", direction).limit(limit).hint("keys_n")
            return [from_row(row) for row in rows]


def _make_indexes(database: Database[Document]) -> None:
    items = database["items"]
    items.create_index([("keys", ASCENDING), ("n", DESCENDING)], name="keys_n")
    items.create_index([("n", ASCENDING)], name="n", partialFilterExpression={"n": {"$gt": 0}})
    items.create_index(
        [("waiting", ASCENDING), ("_id", ASCENDING)], name="waiting", partialFilterExpression=_WAITING
    )
    items.create_index([("stored_at", ASCENDING)], name="kept", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("items_indexes", _make_indexes),)
