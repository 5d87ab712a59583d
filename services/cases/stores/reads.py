"""As of which change somebody last opened a case: for "unread" in lists. No case data, and no promise.

reads  {_id: "principal key/case", seen, at}, forgotten after a year
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.chassis.logs import log
from services.chassis.migrations import Step
from services.chassis.mongo import Document, in_time
from services.contracts.errors import ConcordatError

KEPT_SECONDS = 366 * 24 * 3600
HELD_AT_MOST = 20_000


class ReadStore:
    """Marks in MongoDB, acknowledged by one node: losing one shows a case as unread once more."""

    def __init__(self, database: Database[Document]) -> None:
        # Read as they are written: a majority may not have the last one yet.
        self._loose = database["reads"].with_options(
            write_concern=WriteConcern(w=1, j=False), read_concern=ReadConcern("local")
        )
        self._written: dict[str, datetime] = {}
        self._following: dict[str, tuple[datetime, datetime]] = {}

    def mark(self, principal: str, case_id: str, seen: datetime) -> None:
        """`principal` has seen the case as it was at `seen`. Costs nothing when known. Never raises."""
        key = f"{principal}/{case_id}"
        if self._written.get(key) == seen:
            return
        self._write(key, seen)
        self._hold(key, seen)

    def follow(self, principal: str, case_id: str, before: datetime, now: datetime) -> None:
        """It changed the case itself: seen up to `before`, it has seen it up to `now`. Written by `flush`."""
        key = f"{principal}/{case_id}"
        first, _ = self._following.get(key, (before, now))
        self._following[key] = (first, now)

    def flush(self) -> None:
        """Write what follows, in one go. What a process that dies has not written is shown as unread."""
        if not self._following:
            return
        following, self._following = self._following, {}
        at = datetime.now(UTC)
        updates = [
            UpdateOne({"_id": key, "seen": {"$gte": before}}, {"$set": {"seen": now, "at": at}})
            for key, (before, now) in following.items()
        ]
        with in_time():
            self._loose.bulk_write(updates, ordered=False)

    def seen(self, principal: str, case_ids: Collection[str]) -> dict[str, datetime]:
        """By case: one read."""
        if not case_ids:
            return {}
        keys = [f"{principal}/{one}" for one in case_ids]
        with in_time():
            rows = list(self._loose.find({"_id": {"$in": keys}}, {"seen": True}))
        return {row["_id"].partition("/")[2]: row["seen"] for row in rows}

    def _write(self, key: str, seen: datetime) -> None:
        update = {"$set": {"seen": seen, "at": datetime.now(UTC)}}
        try:
            with in_time():
                self._loose.update_one({"_id": key}, update, upsert=True)
        except (ConcordatError, PyMongoError) as problem:
            log.info("read_not_marked", kind=type(problem).__name__)

    def _hold(self, key: str, seen: datetime) -> None:
        if len(self._written) >= HELD_AT_MOST:
            self._written.clear()
        self._written[key] = seen


def _make_indexes(database: Database[Document]) -> None:
    database["reads"].create_index([("at", ASCENDING)], name="at", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("reads_indexes", _make_indexes),)
