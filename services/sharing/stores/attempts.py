"""Attempts to log in that failed, or have not succeeded yet.

failures  {_id: hash of a user name or an address, attempts: [{id, at}], at}

An attempt is written down before the password is looked at, so that a hundred at once count a hundred.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database

from services.chassis.mongo import Document, in_time
from services.contracts.errors import RateLimited
from services.sharing.domain import limits


class AttemptStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["failures"]

    def begin(self, keys: Sequence[str], now: datetime) -> str:
        """Count one attempt under each key; give its id. Raises RateLimited, and counts nothing, when one of
        them has had its fill: a refused attempt would else shut the door for ever."""
        attempt = uuid.uuid4().hex
        for number, key in enumerate(keys):
            taken = self._count(key, attempt, now)
            if not any(one["id"] == attempt for one in taken):
                self.forgive(keys[:number], attempt)
                wait = limits.wait([one["at"] for one in taken], limits.most(key), now)
                raise RateLimited(retry_after=wait or 1)
        return attempt

    def forgive(self, keys: Sequence[str], attempt: str) -> None:
        """It was no failure."""
        if keys:
            with in_time():
                self._rows.update_many({"_id": {"$in": list(keys)}}, {"$pull": {"attempts": {"id": attempt}}})

    def _count(self, key: str, attempt: str, now: datetime) -> list[Document]:
        recent = {
            "$filter": {
                "input": {"$ifNull": ["$attempts", []]},
                "cond": {"$gt": ["$$this.at", now - limits.WINDOW]},
            }
        }
        counted = {"$concatArrays": ["$attempts", [{"id": attempt, "at": now}]]}
        room = {"$lt": [{"$size": "$attempts"}, limits.most(key)]}
        with in_time():
            row = self._rows.find_one_and_update(
                {"_id": key},
                [
                    {"$set": {"attempts": recent, "at": now}},
                    {"$set": {"attempts": {"$cond": [room, counted, "$attempts"]}}},
                ],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return list(row["attempts"]) if row else []


def make_indexes(database: Database[Document]) -> None:
    database["failures"].create_index(
        [("at", ASCENDING)], name="at", expireAfterSeconds=int(limits.WINDOW.total_seconds()) + 60
    )
