"""Where agencies' identity providers are kept, and sign-ins on their way.

identity_providers  {_id: agency id, alias (unique), issuer, client_id, secret (sealed), kid, claim,
                     second_factors, passwords, reserved: [alias], version, updated_at};
                    one that was taken away leaves {_id, reserved, version}, so that no tag comes again.
                    `reserved`: what the agency was called before, which is nobody else's from then on
sign_ins            {_id: hash of the state, binding: hash, agency_id, provider_version, nonce, verifier,
                     redirect_uri, attempt, begun_at, ends_at (TTL), stage, by: hash of who is at it,
                     user_id?, session_id?, strong?, subject?, first?}
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import FieldError, Invalid
from services.sharing.domain.sign_ins import LASTS, Provider, SignIn, Stage

RESERVED = 20
"""How many names that it gave up stay an agency's, the latest: nobody takes all that there are."""


class IdentityProviderStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["identity_providers"]

    def of(self, agency_id: str, session: Session | None = None) -> tuple[Provider | None, int]:
        """The agency's, if it has one, and the version of what is there."""
        with in_time():
            row = self._rows.find_one({"_id": agency_id}, session=session)
        return (None, 0) if row is None else (_provider(row), row["version"])

    def by_alias(self, alias: str) -> Provider | None:
        with in_time():
            row = self._rows.find_one({"alias": alias})
        return None if row is None else _provider(row)

    def put(self, provider: Provider, session: Session) -> None:
        """Raises Invalid, `/alias` alias_taken."""
        named = [{"alias": provider.alias}, {"reserved": provider.alias}]
        other = {"$or": named, "_id": {"$ne": provider.agency_id}}
        if self._rows.find_one(other, {"_id": True}, session=session):
            raise _taken()
        row = {
            "reserved": self._reserved(provider.agency_id, session, now=provider.alias),
            "alias": provider.alias,
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "secret": provider.secret,
            "kid": provider.kid,
            "claim": provider.claim,
            "second_factors": list(provider.second_factors),
            "passwords": provider.passwords,
            "version": provider.version,
            "updated_at": provider.updated_at,
        }
        try:
            self._rows.replace_one({"_id": provider.agency_id}, row, upsert=True, session=session)
        except DuplicateKeyError:
            raise _taken() from None

    def remove(self, agency_id: str, version: int, session: Session) -> None:
        left = {"version": version, "reserved": self._reserved(agency_id, session)}
        self._rows.replace_one({"_id": agency_id}, left, session=session)

    def _reserved(self, agency_id: str, session: Session, now: str | None = None) -> list[str]:
        """What the agency was called before, and is not `now`: people know it, and it leads nowhere else."""
        row = self._rows.find_one({"_id": agency_id}, {"alias": True, "reserved": True}, session=session)
        given = [*row.get("reserved", ()), row.get("alias")] if row else []
        return [one for one in dict.fromkeys(given) if one is not None and one != now][-RESERVED:]

    def sealed_otherwise(self, kid: str, limit: int) -> Sequence[Provider]:
        """Those whose secret is not sealed with the key `kid`. There are few: no index serves this."""
        with in_time():
            rows = list(self._rows.find({"kid": {"$exists": True, "$ne": kid}}).limit(limit))
        return [one for row in rows if (one := _provider(row)) is not None]

    def reseal(self, agency_id: str, was: str, kid: str, secret: bytes) -> None:
        with in_time():
            self._rows.update_one({"_id": agency_id, "kid": was}, {"$set": {"kid": kid, "secret": secret}})


class SignInStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["sign_ins"]

    def add(self, sign_in: SignIn) -> None:
        row = {
            "_id": sign_in.id,
            "binding": sign_in.binding,
            "agency_id": sign_in.agency_id,
            "provider_version": sign_in.provider_version,
            "nonce": sign_in.nonce,
            "verifier": sign_in.verifier,
            "redirect_uri": sign_in.redirect_uri,
            "attempt": sign_in.attempt,
            "begun_at": sign_in.begun_at,
            "ends_at": sign_in.begun_at + LASTS,
            "stage": sign_in.stage,
            "by": None,
        }
        with in_time():
            self._rows.insert_one(row)

    def take(self, sign_in_id: str, binding: str, stage: Stage, by: str, now: datetime) -> SignIn | None:
        """Make it `busy`, for `by` alone; as it was before. None: it is not at this stage, or not this
        browser's, or its time is over. Only one of many takes it."""
        wanted = {"_id": sign_in_id, "binding": binding, "stage": stage, "ends_at": {"$gt": now}}
        with in_time():
            row = self._rows.find_one_and_update(
                wanted,
                {"$set": {"stage": "busy", "by": by}},
                return_document=ReturnDocument.BEFORE,
            )
        return None if row is None else _sign_in(row)

    def taken(self, sign_in_id: str, binding: str, by: str) -> SignIn | None:
        """As it is now, if `by` was the last to take it: the same attempt, delivered twice."""
        with in_time():
            row = self._rows.find_one({"_id": sign_in_id, "binding": binding, "by": by})
        return None if row is None else _sign_in(row)

    def awaiting(self, sign_in_id: str, binding: str, now: datetime) -> str | None:
        """The user whom the provider has vouched for, and of whom a second factor is asked."""
        wanted = {"_id": sign_in_id, "binding": binding, "stage": "awaiting_code", "ends_at": {"$gt": now}}
        with in_time():
            row = self._rows.find_one(wanted, {"user_id": True})
        return None if row is None else row.get("user_id")

    def leave(self, sign_in_id: str, by: str, stage: Stage, **found: Any) -> None:
        """What `by` has made of it; `found` may be user_id, session_id, strong, subject, first."""
        with in_time():
            self._rows.update_one(
                {"_id": sign_in_id, "by": by, "stage": "busy"}, {"$set": {"stage": stage, **found}}
            )


def _provider(row: Document) -> Provider | None:
    if "issuer" not in row:
        return None
    return Provider(
        agency_id=row["_id"],
        alias=row["alias"],
        issuer=row["issuer"],
        client_id=row["client_id"],
        secret=row["secret"],
        kid=row["kid"],
        claim=row["claim"],
        second_factors=tuple(row["second_factors"]),
        version=row["version"],
        updated_at=row["updated_at"],
        passwords=row.get("passwords", "refused"),
    )


def _sign_in(row: Document) -> SignIn:
    return SignIn(
        id=row["_id"],
        binding=row["binding"],
        agency_id=row["agency_id"],
        provider_version=row["provider_version"],
        nonce=row["nonce"],
        verifier=row["verifier"],
        redirect_uri=row["redirect_uri"],
        attempt=row["attempt"],
        begun_at=row["begun_at"],
        stage=row["stage"],
        user_id=row.get("user_id"),
        session_id=row.get("session_id"),
        strong=row.get("strong", False),
        subject=row.get("subject"),
        first=row.get("first", False),
    )


def _taken() -> Invalid:
    return Invalid(errors=(FieldError("/alias", "alias_taken", "Another agency signs in under this name."),))


def _make_indexes(database: Database[Document]) -> None:
    database["identity_providers"].create_index(
        [("alias", ASCENDING)],
        name="one_of_an_alias",
        unique=True,
        partialFilterExpression={"alias": {"$exists": True}},
    )
    database["sign_ins"].create_index([("ends_at", ASCENDING)], name="ends_at", expireAfterSeconds=60)


def _index_reserved(database: Database[Document]) -> None:
    database["identity_providers"].create_index([("reserved", ASCENDING)], name="by_reserved", sparse=True)


STEPS = (
    Step("identity_providers_indexes", _make_indexes),
    Step("identity_providers_reserved", _index_reserved),
)
