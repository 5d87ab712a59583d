"""Where passkeys are kept, and the questions that they are to answer.

users       {..., passkeys: [{id, credential_id (unique), public_key, sign_count, name, created_at,
             last_used_at | null, last_request | null}] | absent}
challenges  {_id, challenge, purpose, user_id, bound_to, ends_at (TTL), taken_by | null}

Passkeys stand in the principal document, at most `MOST_EACH`: whether there is one is asked with every
request.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.sharing.domain.passkeys import MOST_EACH, Challenge, Passkey, Purpose

_FULL = f"passkeys.{MOST_EACH - 1}"
_MORE_THAN_ONE = "passkeys.1"
WITHOUT: Document = {"totp": None, "passkeys.0": {"$exists": False}}
"""Of a user who has no second factor."""


class PasskeyStore:
    def __init__(self, database: Database[Document]) -> None:
        self._users, self._challenges = database["users"], database["challenges"]

    # --- questions ---

    def ask(self, challenge: Challenge, session: Session | None = None) -> None:
        row = {
            "_id": challenge.id,
            "challenge": challenge.challenge,
            "purpose": challenge.purpose,
            "user_id": challenge.user_id,
            "bound_to": challenge.bound_to,
            "ends_at": challenge.ends_at,
            "taken_by": None,
        }
        with in_time():
            self._challenges.insert_one(row, session=session)

    def asked(self, challenge_id: str, now: datetime) -> Challenge | None:
        """One that nobody has answered yet."""
        with in_time():
            row = self._challenges.find_one({"_id": challenge_id, "ends_at": {"$gt": now}, "taken_by": None})
        return None if row is None else _challenge(row)

    def take(
        self, challenge_id: str, user_id: str, *, purpose: Purpose, bound_to: str, by: str, now: datetime
    ) -> Challenge | None:
        """Use it up, whatever comes of the answer; `by`, delivered again, gets it again. No part of a
        transaction: one that is rolled back would hand it back."""
        wanted = {
            "_id": challenge_id,
            "purpose": purpose,
            "user_id": user_id,
            "bound_to": bound_to,
            "ends_at": {"$gt": now},
            "taken_by": {"$in": [None, by]},
        }
        with in_time():
            row = self._challenges.find_one_and_update(
                wanted, {"$set": {"taken_by": by}}, return_document=ReturnDocument.AFTER
            )
        return None if row is None else _challenge(row)

    # --- passkeys ---

    def add(
        self, user_id: str, passkey: Passkey, session: Session, *, first: bool, keep_session: str | None
    ) -> bool:
        """False where there are too many, or somebody has it already; or where it is to be the first second
        factor and is not. Every other session ends, and so does the enrolment of an app that was begun: who
        began it has not shown this passkey."""
        row = {
            "id": passkey.id,
            "credential_id": passkey.credential_id,
            "public_key": passkey.public_key,
            "sign_count": passkey.sign_count,
            "name": passkey.name,
            "created_at": passkey.created_at,
            "last_used_at": None,
            "last_request": None,
        }
        # Looked up first: a clash with the index would end the transaction.
        if self._users.find_one(
            {"passkeys.credential_id": passkey.credential_id}, {"_id": 1}, session=session
        ):
            return False
        wanted: Document = {"_id": user_id, _FULL: {"$exists": False}, **(WITHOUT if first else {})}
        others = {"id": {"$ne": keep_session}}
        try:
            done = self._users.update_one(
                wanted,
                {
                    "$push": {"passkeys": row},
                    "$set": {"totp_begun": None},
                    "$pull": {"sessions": others},
                },
                session=session,
            )
        except DuplicateKeyError:
            return False
        return bool(done.modified_count)

    def remove(
        self,
        user_id: str,
        passkey_id: str,
        session: Session,
        *,
        may_be_last: bool,
        keep_session: str | None,
    ) -> bool:
        """False where it is the last second factor and may not be, or there is none such. Every other session
        ends: it may have been begun with this one."""
        wanted: Document = {"_id": user_id, "passkeys.id": passkey_id}
        if not may_be_last:
            wanted["$or"] = [{"totp": {"$ne": None}}, {_MORE_THAN_ONE: {"$exists": True}}]
        others = {"id": {"$ne": keep_session}}
        done = self._users.update_one(
            wanted, {"$pull": {"passkeys": {"id": passkey_id}, "sessions": others}}, session=session
        )
        return bool(done.modified_count)

    def use(
        self,
        user_id: str,
        passkey_id: str,
        *,
        count: int,
        by: str,
        now: datetime,
        session: Session | None = None,
    ) -> bool:
        """The counter is now `count`. False where it went that far meanwhile, or the passkey is gone."""
        before = {"$lt": count} if count else 0
        with in_time():
            done = self._users.update_one(
                {"_id": user_id, "passkeys": {"$elemMatch": {"id": passkey_id, "sign_count": before}}},
                {
                    "$set": {
                        "passkeys.$.sign_count": count,
                        "passkeys.$.last_used_at": now,
                        "passkeys.$.last_request": by,
                    }
                },
                session=session,
            )
        return bool(done.matched_count)


def passkeys_of(rows: Iterable[Document]) -> tuple[Passkey, ...]:
    """Oldest first."""
    return tuple(
        Passkey(
            id=one["id"],
            credential_id=one["credential_id"],
            public_key=bytes(one["public_key"]),
            sign_count=one["sign_count"],
            name=one["name"],
            created_at=one["created_at"],
            last_used_at=one["last_used_at"],
            last_request=one["last_request"],
        )
        for one in rows
    )


def _challenge(row: Document) -> Challenge:
    return Challenge(
        id=row["_id"],
        challenge=bytes(row["challenge"]),
        purpose=row["purpose"],
        user_id=row["user_id"],
        bound_to=row["bound_to"],
        ends_at=row["ends_at"],
    )


def _make_indexes(database: Database[Document]) -> None:
    database["users"].create_index(
        [("passkeys.credential_id", ASCENDING)],
        name="one_of_a_passkey",
        unique=True,
        partialFilterExpression={"passkeys.credential_id": {"$exists": True}},
    )
    database["challenges"].create_index([("ends_at", ASCENDING)], name="ends_at", expireAfterSeconds=60)


STEPS = (Step("passkeys_indexes", _make_indexes),)
