"""The secret half of the principal documents: sessions, passwords, authenticators, signatures.

`people.py` and `clients.py` say how the documents are made. It leaves their `version` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pymongo.collection import Collection
from pymongo.database import Database

from services.chassis.mongo import Document, in_time
from services.chassis.mongo import Session as Transaction
from services.contracts.authority import DeviceProof
from services.sharing.domain.clients import Client, Secret
from services.sharing.domain.devices import Proved
from services.sharing.domain.passkeys import Passkey
from services.sharing.domain.people import User
from services.sharing.domain.procedures import Signature
from services.sharing.domain.sessions import MOST, Session
from services.sharing.stores.clients import client_of
from services.sharing.stores.kept import Kept
from services.sharing.stores.passkeys import WITHOUT, passkeys_of
from services.sharing.stores.people import PROJECTION, signature_of, user_of

_SIGNATURES_KEPT = 100


@dataclass(frozen=True, slots=True)
class Locked:
    """A user with what opens the account."""

    user: User
    password_hash: str | None
    totp_secret: str | None
    totp_begun: str | None
    recovery: tuple[str, ...]
    activation_hash: str | None
    activation_expires_at: datetime | None
    passkeys: tuple[Passkey, ...] = ()

    @property
    def has_second_factor(self) -> bool:
        return self.totp_secret is not None or bool(self.passkeys)


class PrincipalStore:
    def __init__(self, database: Database[Document]) -> None:
        self._users, self._clients = database["users"], database["clients"]
        self._kept = Kept(database, "user")

    # Who sends a request: one read

    def user_with_session(
        self, user_id: str, session_hash: str, device: DeviceProof | None = None
    ) -> tuple[User, Session, Proved | None] | None:
        """With the one of the user's own devices that `device` proves."""
        own = {} if device is None else {"devices": {"$elemMatch": {"id": device.id, "hash": device.hash}}}
        row = self._with_session(self._users, user_id, session_hash, {**PROJECTION, **own})
        if row is None:
            return None
        proved = next((Proved(one["id"], one["class"]) for one in row.get("devices", ())), None)
        return user_of(row), _session(row["sessions"][0]), proved

    def client_with_session(self, client_id: str, session_hash: str) -> tuple[Client, Session] | None:
        row = self._with_session(self._clients, client_id, session_hash, _CLIENT)
        return None if row is None else (client_of(row), _session(row["sessions"][0]))

    def _with_session(
        self, rows: Collection[Document], who: str, session_hash: str, shown: Document
    ) -> Document | None:
        with in_time():
            row = rows.find_one({"_id": who}, {**shown, "sessions": {"$elemMatch": {"hash": session_hash}}})
        return row if row is not None and row.get("sessions") else None

    # Sessions

    def sessions(self, kind: str, who: str) -> list[Session]:
        """Newest first; over or not."""
        with in_time():
            row = self._of(kind).find_one({"_id": who}, {"sessions": True})
        found = [_session(one) for one in row["sessions"]] if row else []
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    def saw(self, kind: str, who: str, session_id: str, now: datetime) -> None:
        with in_time():
            self._of(kind).update_one(
                {"_id": who, "sessions.id": session_id}, {"$max": {"sessions.$.seen_at": now}}
            )

    def end_session(self, kind: str, who: str, session_id: str, transaction: Transaction) -> bool:
        """Whether there was one."""
        done = self._of(kind).update_one(
            {"_id": who, "sessions.id": session_id},
            {"$pull": {"sessions": {"id": session_id}}},
            session=transaction,
        )
        return bool(done.modified_count)

    def begin_session(
        self, kind: str, who: str, session: Session, attempt: str, *, without: bool = False
    ) -> Session | None:
        """Add a session, unless the account was disabled meanwhile: then None. So too where no second factor
        was asked for, `without`, and there is one now. Of the same attempt there is one, the first: its token
        may have been given out already."""
        rows = self._of(kind)
        with in_time():
            over = {"expires_at": {"$lte": session.created_at}}
            rows.update_one({"_id": who}, {"$pull": {"sessions": over}})
            begun = rows.update_one(
                {
                    "_id": who,
                    "state": "active",
                    "sessions.request": {"$ne": attempt},
                    **(WITHOUT if without else {}),
                },
                {
                    "$push": {"sessions": {"$each": [_row(session, attempt)], "$slice": -MOST}},
                    "$set": {"last_log_in_at": session.created_at},
                },
            )
            if begun.matched_count:
                return session
            kept = {"sessions": {"$elemMatch": {"request": attempt}}}
            row = rows.find_one({"_id": who, "state": "active"}, kept)
        return _session(row["sessions"][0]) if row is not None and row.get("sessions") else None

    # A user's keys

    def locked(self, user_id: str) -> Locked | None:
        with in_time():
            row = self._users.find_one({"_id": user_id}, _LOCKED)
        return None if row is None else _locked(row)

    def locked_by_username(self, username: str) -> Locked | None:
        with in_time():
            row = self._users.find_one({"username_key": username.casefold()}, _LOCKED)
        return None if row is None else _locked(row)

    def secrets_of_client(self, client_id: str) -> tuple[Client, tuple[Secret, ...]] | None:
        with in_time():
            row = self._clients.find_one({"_id": client_id}, {"sessions": False})
        if row is None:
            return None
        return client_of(row), tuple(Secret(one["hash"], one["until"]) for one in row["secrets"])

    def use_totp(self, user_id: str, step: int, attempt: str) -> bool:
        """Take a code of this step, once; the same attempt, delivered again, may take it again."""
        with in_time():
            done = self._users.update_one(
                {
                    "_id": user_id,
                    "$or": [{"totp.last_step": {"$lt": step}}, {"totp.last_request": attempt}],
                },
                {"$max": {"totp.last_step": step}, "$set": {"totp.last_request": attempt}},
            )
        return bool(done.matched_count)

    def use_recovery(self, user_id: str, code_hash: str, attempt: str) -> bool:
        """Take a recovery code, once; the same attempt, delivered again, may take it again."""
        taken = f"{attempt}/{code_hash}"  # no other code is good because this one was
        with in_time():
            done = self._users.update_one(
                {"_id": user_id, "recovery": code_hash},
                {"$pull": {"recovery": code_hash}, "$set": {"totp.last_request": taken}},
            )
            if done.modified_count:
                return True
            again = {"_id": user_id, "totp.last_request": taken}
            return self._users.find_one(again, {"_id": True}) is not None

    def keep_hash(self, user_id: str, former: str, new: str, *, must_change: bool) -> None:
        """The same password, hashed with today's parameters or judged by today's rules."""
        with in_time():
            self._users.update_one(
                {"_id": user_id, "password.hash": former},
                {"$set": {"password.hash": new, "password.must_change": must_change}},
            )

    def activate(
        self,
        user_id: str,
        activation_hash: str,
        password_hash: str,
        *,
        now: datetime,
        transaction: Transaction,
    ) -> bool:
        """Whether the activation could still be used."""
        return self._kept.update(
            {
                "_id": user_id,
                "state": "invited",
                "activation.hash": activation_hash,
                "activation.expires_at": {"$gt": now},
            },
            {
                "$set": {
                    "state": "active",
                    "activation": None,
                    "password": _password(password_hash, now),
                    "updated_at": now,
                },
                "$inc": {"version": 1},
            },
            transaction,
        )

    def set_password(
        self,
        user_id: str,
        *,
        former: str,
        new: str,
        keep_session: str | None,
        now: datetime,
        transaction: Transaction,
    ) -> bool:
        """Every other session ends. False if the former password is not the one any more."""
        done = self._users.update_one(
            {"_id": user_id, "password.hash": former},
            {
                "$set": {"password": _password(new, now)},
                "$pull": {"sessions": {"id": {"$ne": keep_session}}},
            },
            session=transaction,
        )
        return bool(done.modified_count)

    def begin_totp(self, user_id: str, secret: str, transaction: Transaction) -> bool:
        """False where one is enrolled already."""
        done = self._users.update_one(
            {"_id": user_id, "totp": None}, {"$set": {"totp_begun": secret}}, session=transaction
        )
        return bool(done.matched_count)

    def confirm_totp(
        self,
        user_id: str,
        secret: str,
        *,
        step: int,
        recovery: list[str],
        keep_session: str | None,
        transaction: Transaction,
    ) -> bool:
        """False when this secret was not the one begun. The code that confirms it may yet be used once. Every
        other session ends: one that was begun by the password alone would else be as good as this one."""
        totp = {"secret": secret, "last_step": step - 1, "last_request": None}
        done = self._users.update_one(
            {"_id": user_id, "totp": None, "totp_begun": secret},
            {
                "$set": {"totp": totp, "totp_begun": None, "recovery": recovery},
                "$pull": {"sessions": {"id": {"$ne": keep_session}}},
            },
            session=transaction,
        )
        return bool(done.modified_count)

    def sign(self, user_id: str, signature: Signature, transaction: Transaction) -> None:
        row = {
            "version": signature.version,
            "sha256": signature.sha256,
            "signed_at": signature.signed_at,
        }
        self._kept.update(
            {"_id": user_id},
            {
                "$set": {"signature": row},
                "$push": {"signatures": {"$each": [row], "$slice": -_SIGNATURES_KEPT}},
            },
            transaction,
        )

    def signature(self, user_id: str) -> Signature | None:
        with in_time():
            row = self._users.find_one({"_id": user_id}, {"signature": True})
        return signature_of((row or {}).get("signature"))

    def _of(self, kind: str) -> Collection[Document]:
        return self._clients if kind == "client" else self._users


_CLIENT: Document = {"secrets": False, "key": False, "words": False}
_LOCKED: Document = {
    **{key: shown for key, shown in PROJECTION.items() if "." not in key},
    "password": True,
    "totp": True,
    "totp_begun": True,
    "recovery": True,
    "passkeys": True,
    "activation": True,
}


def _locked(row: Document) -> Locked:
    password, totp, activation = row["password"] or {}, row["totp"] or {}, row["activation"] or {}
    return Locked(
        user=user_of(row),
        password_hash=password.get("hash"),
        totp_secret=totp.get("secret"),
        totp_begun=row["totp_begun"],
        recovery=tuple(row["recovery"]),
        activation_hash=activation.get("hash"),
        activation_expires_at=activation.get("expires_at"),
        passkeys=passkeys_of(row.get("passkeys", ())),
    )


def _password(hashed: str, now: datetime) -> Document:
    return {"hash": hashed, "must_change": False, "changed_at": now}


def _session(row: Document) -> Session:
    how = row.get("stepped_up_until"), row.get("federated", False), row.get("strong", False)
    return Session(row["id"], row["hash"], row["created_at"], row["seen_at"], row["expires_at"], *how)


def _row(session: Session, attempt: str) -> Document:
    return {
        "id": session.id,
        "hash": session.hash,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "request": attempt,
        **({"federated": True, "strong": session.strong} if session.federated else {}),
    }
