"""When effects took place: the database's own time of each commit.

It is read afterwards, so that watching costs the race nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection as Keys
from typing import Any

from bson.timestamp import Timestamp
from pymongo.collection import Collection

Key = tuple[str, int]
"""A note and the number of a change of it."""


class Effects:
    """The rows that enter a collection `applied` ({note_id, number, …}) from now on."""

    def __init__(self, applied: Collection[dict[str, Any]]) -> None:
        self._applied = applied
        self._since: Timestamp = applied.database.command("ping")["operationTime"]

    def times(self, wanted: Keys[Key], patience: float) -> dict[Key, float]:
        """Wait until every wanted effect is there, `patience` seconds at most.

        Returns unix seconds of each, exact to a millisecond.
        """
        missing, found = set(wanted), dict[Key, float]()
        give_up = time.monotonic() + patience
        with self._applied.watch(
            [{"$match": {"operationType": "insert"}}],
            start_at_operation_time=self._since,
            max_await_time_ms=100,
        ) as stream:
            while missing and time.monotonic() < give_up:
                change = stream.try_next()
                if change is None:
                    continue
                key = (change["fullDocument"]["note_id"], change["fullDocument"]["number"])
                if key in missing:
                    missing.discard(key)
                    found[key] = change["wallTime"].timestamp()
        return found
