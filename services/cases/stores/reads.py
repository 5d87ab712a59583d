"""As of which change somebody last opened a case: for "unread" in lists. No case data, and no promise.

reads  {_id: "principal key/case", seen, at}, forgotten after a year
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.chassis.migrations import Step
from services.chassis.mongo import Document, in_time

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
        self._marked: dict[str, datetime] = {}
        self._following: dict[str, tuple[datetime, datetime]] = {}

    def mark(self, principal: str, case_id: str, seen: datetime) -> None:
        """`principal` has seen the case as it was at `seen`. Written by `flush`, unless it is known."""
        key = f"{principal}/{case_id}"
        if self._written.get(key) != seen:
            self._marked[key] = seen

    def follow(self, principal: str, case_id: str, before: datetime, now: datetime) -> None:
        """It changed the case itself: seen up to `before`, it has seen it up to `now`. Written by `flush`."""
        key = f"{principal}/{case_id}"
        first, _ = self._following.get(key, (before, now))
        self._following[key] = (first, now)

    def flush(self) -> None:
        """Write what was seen, in one go. What a process that dies has not written is shown as unread."""
        if not self._marked and not self._following:
            return
        marked, self._marked = self._marked, {}
        following, self._following = self._following, {}
        at = datetime.now(UTC)
        with in_time():
            if marked:
                self._loose.bulk_write(
                    [_marking(key, seen, at) for key, seen in marked.items()], ordered=False
                )
                self._hold(marked)
            if following:
                updates = [_following(key, before, now, at) for key, (before, now) in following.items()]
                self._loose.bulk_write(updates, ordered=False)

    def seen(self, principal: str, case_ids: Collection[str]) -> dict[str, datetime]:
        """By case: one read."""
        if not case_ids:
            return {}
        keys = [f"{principal}/{one}" for one in case_ids]
        with in_time():
            rows = list(self._loose.find({"_id": {"$in": keys}}, {"seen": True}))
        found = {row["_id"]: row["seen"] for row in rows}
        found.update((key, self._marked[key]) for key in keys if key in self._marked)
        return {key.partition("/")[2]: seen for key, seen in found.items()}

    def _hold(self, marked: dict[str, datetime]) -> None:
        if len(self._written) >= HELD_AT_MOST:
            self._written.clear()
        self._written.update(marked)


def _marking(key: str, seen: datetime, at: datetime) -> UpdateOne:
    return UpdateOne({"_id": key}, {"$set": {"seen": seen, "at": at}}, upsert=True)


def _following(key: str, before: datetime, now: datetime, at: datetime) -> UpdateOne:
    return UpdateOne({"_id": key, "seen": {"$gte": before}}, {"$max": {"seen": now}, "$set": {"at": at}})


def _make_indexes(database: Database[Document]) -> None:
    database["reads"].create_index([("at", ASCENDING)], name="at", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("reads_indexes", _make_indexes),)
