"""A fresh code of the authenticator, or a passkey, given in a session: kept in that session, in the principal
document."""

from __future__ import annotations

from datetime import datetime

from pymongo.database import Database

from services.chassis.mongo import Document, Session


class StepUpStore:
    def __init__(self, database: Database[Document]) -> None:
        self._users = database["users"]

    def take(
        self, user_id: str, session_id: str, *, step: int, until: datetime, transaction: Session
    ) -> bool:
        """Take a code of this step, once, for one session. False where it was used, or the session ended."""
        done = self._users.update_one(
            {"_id": user_id, "sessions.id": session_id, "totp.last_step": {"$lt": step}},
            {"$set": {"totp.last_step": step, "sessions.$.stepped_up_until": until}},
            session=transaction,
        )
        return bool(done.modified_count)

    def lift(self, user_id: str, session_id: str, *, until: datetime, transaction: Session) -> bool:
        """A passkey was shown in it. False where the session ended."""
        done = self._users.update_one(
            {"_id": user_id, "sessions.id": session_id},
            {"$set": {"sessions.$.stepped_up_until": until}},
            session=transaction,
        )
        return bool(done.matched_count)
