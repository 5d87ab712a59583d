"""Why a person opened another agency's case: asked once for each user, case and session.

reasons  {_id: "session/case", reason, at}, forgotten after two days: longer than any session lasts
"""

from __future__ import annotations

from datetime import UTC, datetime

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, in_time
from services.contracts.vocabulary import AccessReason

KEPT_SECONDS = 2 * 24 * 3600
REMEMBERED_AT_MOST = 20_000


class ReasonStore:
    """Reasons in MongoDB. What was stored once stays true, so a process need not look again."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["reasons"]
        self._remembered: dict[str, AccessReason] = {}

    def remember(self, session: str, case_id: str, reason: AccessReason) -> None:
        key = f"{session}/{case_id}"
        if self._remembered.get(key) == reason:
            return
        with in_time():
            self._rows.update_one(
                {"_id": key}, {"$set": {"reason": reason, "at": datetime.now(UTC)}}, upsert=True
            )
        self._hold(key, reason)

    def find(self, session: str, case_id: str) -> AccessReason | None:
        """The last that was given."""
        key = f"{session}/{case_id}"
        if key in self._remembered:
            return self._remembered[key]
        with in_time():
            row = self._rows.find_one({"_id": key}, {"reason": True})
        if row is None:
            return None
        reason: AccessReason = row["reason"]
        self._hold(key, reason)
        return reason

    def _hold(self, key: str, reason: AccessReason) -> None:
        if len(self._remembered) >= REMEMBERED_AT_MOST:
            self._remembered.clear()
        self._remembered[key] = reason


def _make_indexes(database: Database[Document]) -> None:
    database["reasons"].create_index([("at", ASCENDING)], name="at", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("reasons_indexes", _make_indexes),)
