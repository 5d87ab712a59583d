"""Who somebody is to an agency's own systems: to its identity provider, and to its provisioning (SCIM).

users  {..., identity: {issuer, subject, since} | absent,
        provisioned: {external_id?, disabled, gone} | absent}

`disabled`: it was provisioning that disabled the account, so it may enable it again; `gone`: it deleted it
there, so there is none for it. What an administrator does to the account's state takes both away
(`people.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pymongo import ASCENDING
from pymongo.collation import Collation
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import FieldError, Invalid
from services.sharing.domain import sign_ins
from services.sharing.domain.people import User
from services.sharing.stores.kept import Kept
from services.sharing.stores.people import PROJECTION, step_of, user_of

_ANY_CASE = Collation(locale="en", strength=2)
_TIED_TO_NOBODY: Document = {"identity.issuer": {"$exists": False}}
"""Whoever is tied stays so until a reset: an administrator's other issuer does not take anybody over."""
_ALIKE = 20
"""How many addresses that the collation takes for one are looked at."""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A user as the agency's identity system sees it."""

    user: User
    external_id: str | None = None
    disabled: bool = False


class IdentityStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._kept = database["users"], Kept(database, "user")

    # --- signing in ---

    def bound(self, agency_id: str, issuer: str, subject: str) -> User | None:
        wanted = {"agency_id": agency_id, "identity.issuer": issuer, "identity.subject": subject}
        with in_time():
            row = self._rows.find_one(wanted, PROJECTION)
        return None if row is None else user_of(row)

    def unbound(
        self, agency_id: str, claim: Literal["email", "preferred_username"], value: str
    ) -> User | None:
        """The one whom this claim names and who is tied to nobody yet, by whatever issuer. None for several:
        who is meant is not for us to guess. What only looks alike names nobody."""
        wanted: Document = {"agency_id": agency_id, **_TIED_TO_NOBODY}
        with in_time():
            if claim == "email":
                found = self._rows.find({**wanted, "email": value}, PROJECTION, collation=_ANY_CASE)
                rows = [row for row in found.limit(_ALIKE) if sign_ins.is_same(row["email"], value)]
            elif value.isascii():
                rows = list(self._rows.find({**wanted, "username_key": value.lower()}, PROJECTION).limit(2))
            else:
                rows = []
        return user_of(rows[0]) if len(rows) == 1 else None

    def bind(self, user: User, issuer: str, subject: str, *, now: datetime, session: Session) -> bool:
        """From now on the provider's subject is this user; an invited one is active. False when something
        else happened to the account meanwhile, or another has this subject."""
        change: Document = {
            "$set": {
                "identity": {"issuer": issuer, "subject": subject, "since": now},
                "state": "active",
                "activation": None,
                "updated_at": now,
            },
            "$inc": {"version": 1},
            "$push": step_of(user.id, "activate" if user.state == "invited" else "bind", now),
        }
        wanted = {"_id": user.id, "version": user.version, **_TIED_TO_NOBODY}
        try:
            return self._kept.update(wanted, change, session)
        except DuplicateKeyError:
            return False

    def end_federated(self, agency_id: str, session: Session) -> None:
        """Every session of the agency's people that its provider has vouched for."""
        self._rows.update_many(
            {"agency_id": agency_id, "sessions.federated": True},
            {"$pull": {"sessions": {"federated": True}}},
            session=session,
        )

    # --- provisioning ---

    def provisioned(self, user_id: str, agency_id: str, session: Session | None = None) -> Provisioned | None:
        wanted = {"_id": user_id, "agency_id": agency_id, "provisioned.gone": {"$ne": True}}
        with in_time():
            row = self._rows.find_one(wanted, PROJECTION, session=session)
        return None if row is None else _provisioned(row)

    def find(
        self, agency_id: str, wanted: tuple[str, str] | None, skip: int, limit: int
    ) -> tuple[list[Provisioned], int]:
        """Some of the agency's people by id, and how many there are: all, or of one user name or external
        id."""
        which: Document = {"agency_id": agency_id, "provisioned.gone": {"$ne": True}}
        if wanted is not None:
            name, value = wanted
            if name == "username" and not value.isascii():
                return [], 0  # ours are ASCII: it could only look alike
            by = {
                "username": ("username_key", value.lower()),
                "external_id": ("provisioned.external_id", value),
            }
            field, sought = by[name]
            which[field] = sought
        with in_time():
            rows = list(self._rows.find(which, PROJECTION).sort("_id", ASCENDING).skip(skip).limit(limit))
            total = self._rows.count_documents(which)
        return [_provisioned(row) for row in rows], total

    def change(
        self,
        before: Provisioned,
        values: dict[str, Any],
        *,
        by: str,
        what: str,
        now: datetime,
        session: Session,
    ) -> None:
        """`values`: state, external_id, disabled, gone. To disable ends every session. Raises Invalid,
        `/external_id` taken."""
        row: Document = {"updated_at": now}
        if "state" in values:
            row["state"] = values["state"]
            if values["state"] == "disabled":
                row |= {"sessions": [], "activation": None}
        named = {name: values[name] for name in ("external_id", "disabled", "gone") if name in values}
        row |= {f"provisioned.{name}": value for name, value in named.items() if value is not None}
        change: Document = {"$set": row, "$inc": {"version": 1}, "$push": step_of(by, what, now)}
        if "external_id" in named and named["external_id"] is None:
            change["$unset"] = {"provisioned.external_id": ""}
        try:
            self._kept.update({"_id": before.user.id}, change, session)
        except DuplicateKeyError:
            raise Invalid(
                errors=(FieldError("/external_id", "taken", "Another person has this external id."),)
            ) from None


def _provisioned(row: Document) -> Provisioned:
    said = row.get("provisioned") or {}
    return Provisioned(user_of(row), said.get("external_id"), bool(said.get("disabled")))


def _make_indexes(database: Database[Document]) -> None:
    rows = database["users"]
    rows.create_index(
        [("agency_id", ASCENDING), ("identity.issuer", ASCENDING), ("identity.subject", ASCENDING)],
        name="one_of_a_subject",
        unique=True,
        partialFilterExpression={"identity.subject": {"$exists": True}},
    )
    rows.create_index(
        [("agency_id", ASCENDING), ("provisioned.external_id", ASCENDING)],
        name="one_of_an_external_id",
        unique=True,
        partialFilterExpression={"provisioned.external_id": {"$exists": True}},
    )
    rows.create_index([("agency_id", ASCENDING), ("email", ASCENDING)], name="by_email", collation=_ANY_CASE)
    rows.create_index([("agency_id", ASCENDING), ("_id", ASCENDING)], name="by_agency")


STEPS = (Step("identities_indexes", _make_indexes),)
