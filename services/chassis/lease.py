"""Who may do a thing that one process at a time should do. The database keeps the clock.

A lease keeps two from working at once while all goes well. It cannot stop a process that was frozen between
looking at its clock and acting: what it protects MUST stay right when done twice. `token` counts the holders.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from services.chassis.mongo import Document

SAFE_SHARE = 0.8
"""Of the lease's length, counted from before it was asked for: clocks run at different speeds."""


class Lease:
    """One name, at most one holder at a time, for `seconds` unless renewed."""

    def __init__(
        self,
        leases: Collection[Document],
        name: str,
        holder: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases, self._name, self._holder = leases, name, holder
        self._seconds, self._clock = seconds, clock
        self._asked_at = float("-inf")
        self._row_made = False
        self.token = 0

    @property
    def held(self) -> bool:
        """No other process can hold it now, as far as this process's clock tells."""
        return self._clock() < self._asked_at + self._seconds * SAFE_SHARE

    @property
    def due(self) -> bool:
        """It is time to take or renew it."""
        return self._clock() >= self._asked_at + self._seconds * SAFE_SHARE / 2

    @property
    def retry_after(self) -> float:
        """Seconds until one who does not hold it should ask again."""
        return self._seconds / 5

    def take(self) -> bool:
        """Take or renew it; say whether it is held. Raises what the database raises."""
        self._make_row()
        asked_at = self._clock()
        row = self._leases.find_one_and_update(
            {"_id": self._name, "$expr": {"$or": [self._mine(), {"$lte": ["$until", "$$NOW"]}]}},
            [{"$set": self._terms()}],
            return_document=ReturnDocument.AFTER,
        )
        self._asked_at = float("-inf") if row is None else asked_at
        self.token = self.token if row is None else int(row["token"])
        return self.held

    def release(self) -> None:
        """Give it up at once, if it is ours."""
        self._asked_at = float("-inf")
        self._leases.update_one(
            {"_id": self._name, "holder": self._holder, "token": self.token}, [{"$set": {"until": "$$NOW"}}]
        )

    def _make_row(self) -> None:
        # Apart from the update: the database takes no clock in the filter of an upsert.
        if not self._row_made:
            with suppress(DuplicateKeyError):
                self._leases.update_one(
                    {"_id": self._name}, [{"$set": {"until": {"$ifNull": ["$until", "$$NOW"]}}}], upsert=True
                )
            self._row_made = True

    def _mine(self) -> Mapping[str, Any]:
        return {"$and": [{"$eq": ["$holder", self._holder]}, {"$gt": ["$until", "$$NOW"]}]}

    def _terms(self) -> Mapping[str, Any]:
        last = {"$ifNull": ["$token", 0]}
        return {
            "holder": self._holder,
            "token": {"$cond": [self._mine(), last, {"$add": [last, 1]}]},
            "until": {"$add": ["$$NOW", int(self._seconds * 1000)]},
        }
