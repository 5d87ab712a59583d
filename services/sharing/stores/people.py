"""Where people are kept: one *principal document* each, so that a request needs one read to know who asks.

users  {_id, username, username_key (unique), name, key, words, email, agency_id, job_title, team_ids,
        deputy_id?, roles: [{role, starts_on, ends_on}], state, version, created_at, updated_at,
        activation: {hash, expires_at} | null,
        password: {hash, must_change, changed_at} | null,
        totp: {secret, last_step, last_request} | null, totp_begun: secret | null, recovery: [hash],
        passkeys: see `passkeys.py`,
        signature: {version, sha256, signed_at} | null, signatures: [the same, the latest last],
        sessions: [{id, hash, created_at, seen_at, expires_at, request, stepped_up_until, federated, strong}],
        trainings: [{id, use, completed_on, expires_on, recorded_at}], the latest of each use,
        devices: [{id, hash, class}], those enrolled that are this person's own,
        history: [{at, by, what}], certify_by, last_log_in_at?}

`version` counts what its administrator sees change; sessions, password and the like leave it alone.
`principals.py` writes the secret half, `identities.py` who one is to the agency's own systems.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import FieldError, Invalid, NotVisible
from services.sharing.domain.people import Appointment, User
from services.sharing.domain.procedures import Signature
from services.sharing.domain.trainings import Training
from services.sharing.domain.words import key_of, words_of
from services.sharing.stores.kept import Kept
from services.sharing.stores.pages import page_by_name

HISTORY_KEPT = 100
PROJECTION: Document = {
    "username": True,
    "name": True,
    "email": True,
    "agency_id": True,
    "job_title": True,
    "team_ids": True,
    "deputy_id": True,
    "roles": True,
    "state": True,
    "signature": True,
    "password.must_change": True,
    "totp.last_step": True,
    "passkeys.id": True,
    "identity.issuer": True,
    "provisioned": True,
    "trainings": True,
    "version": True,
    "created_at": True,
    "updated_at": True,
}
"""Everything but secrets, sessions and histories."""


class UserStore:
    """People as their administrators and colleagues see them."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._kept = database["users"], Kept(database, "user")

    def add(self, user: User, activation: Document, session: Session | None = None) -> None:
        """`activation` is {hash, expires_at}. Raises Invalid, `/username` taken."""
        row: Document = {
            "_id": user.id,
            "username": user.username,
            "username_key": user.username.casefold(),
            **_named(user.name),
            "email": user.email,
            "agency_id": user.agency_id,
            "job_title": user.job_title,
            "team_ids": list(user.team_ids),
            "roles": [_role(one) for one in user.roles],
            "state": user.state,
            "version": user.version,
            "created_at": user.created_at,
            "updated_at": user.updated_at,
            "activation": activation,
            "password": None,
            "totp": None,
            "totp_begun": None,
            "recovery": [],
            "signature": None,
            "signatures": [],
            "sessions": [],
            "certify_by": user.certify_by or user.created_at,
            "history": [],
        }
        with in_time():
            wanted = {"username_key": row["username_key"]}
            if self._rows.find_one(wanted, {"_id": True}, session=session):
                raise _taken()
            try:
                self._rows.insert_one(row, session=session)
            except DuplicateKeyError:
                raise _taken() from None

    def load(self, user_id: str, session: Session | None = None) -> User:
        """Raises NotVisible."""
        found = self.known([user_id], session)
        if not found:
            raise NotVisible
        return found[user_id]

    def known(self, ids: Iterable[str], session: Session | None = None) -> dict[str, User]:
        """Those of the ids that there are."""
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": list(ids)}}, PROJECTION, session=session))
        return {row["_id"]: user_of(row) for row in rows}

    def by_username(self, username: str, session: Session | None = None) -> User | None:
        with in_time():
            row = self._rows.find_one({"username_key": username.casefold()}, PROJECTION, session=session)
        return None if row is None else user_of(row)

    def in_team(self, team_id: str, session: Session | None = None, *, most: int = 1000) -> list[User]:
        """By id."""
        with in_time():
            rows = list(self._rows.find({"team_ids": team_id}, PROJECTION, session=session).limit(most))
        return sorted((user_of(row) for row in rows), key=lambda user: user.id)

    def page(
        self, agency_id: str, state: str | None, limit: int, cursor: str | None
    ) -> tuple[list[User], str | None]:
        """People of one agency, by name."""
        wanted: Document = {"agency_id": agency_id} | ({} if state is None else {"state": state})
        return page_by_name(
            self._rows,
            wanted,
            "key",
            limit=limit,
            cursor=cursor,
            make=user_of,
            projection=PROJECTION | {"key": True},
        )

    def change(
        self, before: User, values: dict[str, Any], *, by: str, what: str, now: datetime, session: Session
    ) -> User:
        """Set some of name, job_title, team_ids, deputy_id, roles, state; disabling ends the sessions too."""
        row: Document = {key: _stored(key, value) for key, value in values.items()}
        if "name" in values:
            row |= _named(values["name"])
        if values.get("state") == "disabled":
            row |= {"sessions": [], "activation": None}
        if "state" in values:  # an administrator's word stands above the agency's identity system's
            row |= {"provisioned.disabled": False, "provisioned.gone": False}
        self._update(before.id, row, by=by, what=what, now=now, session=session)
        return replace(before, **values, version=before.version + 1, updated_at=now)

    def train(
        self, user_id: str, trainings: Iterable[Training], *, by: str, now: datetime, session: Session
    ) -> None:
        """`version` stays: they stand on no page that it is the tag of."""
        change: Document = {
            "$set": {"trainings": [_training(one) for one in trainings]},
            "$push": step_of(by, "train", now),
        }
        self._kept.update({"_id": user_id}, change, session)

    def invite_again(
        self, before: User, activation: Document, by: str, *, now: datetime, session: Session
    ) -> None:
        """Password, authenticator, passkeys, sessions and identity are gone; the signature stays."""
        row: Document = {
            "state": "invited",
            "activation": activation,
            "password": None,
            "totp": None,
            "totp_begun": None,
            "recovery": [],
            "passkeys": [],
            "sessions": [],
            "identity": None,
        }
        self._update(before.id, row, by=by, what="reset", now=now, session=session)

    def put_into_team(self, team_id: str, ids: Iterable[str], now: datetime, session: Session) -> None:
        self._kept.update_all(
            {"_id": {"$in": list(ids)}},
            {"$addToSet": {"team_ids": team_id}, "$inc": {"version": 1}, "$set": {"updated_at": now}},
            session,
        )

    def take_out_of_team(self, team_id: str, ids: Iterable[str], now: datetime, session: Session) -> None:
        self._kept.update_all(
            {"_id": {"$in": list(ids)}},
            {"$pull": {"team_ids": team_id}, "$inc": {"version": 1}, "$set": {"updated_at": now}},
            session,
        )

    def _update(
        self, user_id: str, values: Document, *, by: str, what: str, now: datetime, session: Session
    ) -> None:
        self._kept.update(
            {"_id": user_id},
            {
                "$set": {**values, "updated_at": now},
                "$inc": {"version": 1},
                "$push": step_of(by, what, now),
            },
            session,
        )


def step_of(by: str, what: str, now: datetime) -> Document:
    step = {"at": now, "by": by, "what": what}
    return {"history": {"$each": [step], "$slice": -HISTORY_KEPT}}


def _named(name: str) -> Document:
    return {"name": name, "key": key_of(name), "words": words_of(name)}


def _stored(key: str, value: Any) -> Any:
    if key == "roles":
        return [_role(one) for one in value]
    return list(value) if key == "team_ids" else value


def _role(one: Appointment) -> Document:
    return {
        "role": one.role,
        "starts_on": one.starts_on and one.starts_on.isoformat(),
        "ends_on": one.ends_on and one.ends_on.isoformat(),
    }


def _training(one: Training) -> Document:
    return {
        "id": one.id,
        "use": one.use,
        "completed_on": one.completed_on.isoformat(),
        "expires_on": one.expires_on.isoformat(),
        "recorded_at": one.recorded_at,
    }


def _taken() -> Invalid:
    return Invalid(errors=(FieldError("/username", "username_taken", "This user name is taken."),))


def user_of(row: Document) -> User:
    """A row that was read with `PROJECTION`, or whole."""
    said = row.get("provisioned") or {}
    return User(
        id=row["_id"],
        username=row["username"],
        name=row["name"],
        email=row["email"],
        agency_id=row["agency_id"],
        job_title=row["job_title"],
        team_ids=tuple(row["team_ids"]),
        roles=appointments_of(row["roles"]),
        state=row["state"],
        signature=signature_of(row.get("signature")),
        has_password=row.get("password") is not None,
        has_totp=row.get("totp") is not None,
        has_passkey=bool(row.get("passkeys")),
        is_bound=row.get("identity") is not None,
        system_may_enable=bool(said.get("disabled")) and not said.get("gone"),
        must_change=bool((row.get("password") or {}).get("must_change")),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deputy_id=row.get("deputy_id"),
        trainings=trainings_of(row.get("trainings", ())),
    )


def trainings_of(rows: Iterable[Document]) -> tuple[Training, ...]:
    return tuple(
        Training(
            one["id"],
            one["use"],
            date.fromisoformat(one["completed_on"]),
            date.fromisoformat(one["expires_on"]),
            one["recorded_at"],
        )
        for one in rows
    )


def appointments_of(rows: Iterable[Document]) -> tuple[Appointment, ...]:
    return tuple(Appointment(one["role"], _day(one["starts_on"]), _day(one["ends_on"])) for one in rows)


def signature_of(row: Document | None) -> Signature | None:
    return None if row is None else Signature(row["version"], row["sha256"], row["signed_at"])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def make_indexes(database: Database[Document]) -> None:
    rows = database["users"]
    rows.create_index([("username_key", ASCENDING)], name="one_of_a_username", unique=True)
    rows.create_index([("agency_id", ASCENDING), ("key", ASCENDING), ("_id", ASCENDING)], name="by_name")
    rows.create_index([("team_ids", ASCENDING)], name="by_team")
    rows.create_index([("words", ASCENDING)], name="by_word")
