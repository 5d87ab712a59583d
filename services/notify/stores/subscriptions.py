"""Who wants to be told, where, and of what.

subscriptions  {_id, agency_id, client_id, accountable_id?, transport, url, types, state, secret (sealed),
               kid, next_sequence, version, created_at, updated_at, lease_holder?, lease_until, fed_at,
               fed?}

`lease_*`: the one instance that delivers to it now. `version` counts changes by people. `fed_at`: when it was
last its turn to be given a checkpoint of the audit log; `fed`: the tree of the last one that it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import NotVisible
from services.contracts.subscriptions import SubscriptionState

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One webhook of one client. `secret` is sealed with the key `kid`."""

    id: str
    agency_id: str
    client_id: str
    accountable_id: str | None
    url: str
    types: tuple[str, ...]
    secret: bytes
    kid: str
    created_at: datetime
    updated_at: datetime
    state: SubscriptionState = "active"
    next_sequence: int = 1
    version: int = 1

    @property
    def etag(self) -> str:
        """Its body shows the next sequence too."""
        return f"{self.version}-{self.next_sequence}"


class SubscriptionStore:
    """Subscriptions in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["subscriptions"]

    def add(self, new: Subscription, session: Session) -> None:
        row = {
            "_id": new.id,
            "agency_id": new.agency_id,
            "client_id": new.client_id,
            "accountable_id": new.accountable_id,
            "transport": "webhook",
            "url": new.url,
            "types": list(new.types),
            "state": new.state,
            "secret": new.secret,
            "kid": new.kid,
            "next_sequence": new.next_sequence,
            "version": new.version,
            "created_at": new.created_at,
            "updated_at": new.updated_at,
            "lease_until": _LONG_AGO,
            "fed_at": _LONG_AGO,
        }
        self._rows.insert_one(row, session=session)

    def count(self, client_id: str, session: Session) -> int:
        return self._rows.count_documents({"client_id": client_id}, session=session)

    def load(
        self, subscription_id: str, whose: Mapping[str, str], session: Session | None = None
    ) -> Subscription:
        """`whose` is {"agency_id": …} or {"client_id": …}. Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": subscription_id, **whose}, session=session)
        if row is None:
            raise NotVisible
        return _subscription(row)

    def page(self, whose: Mapping[str, str], before: str | None, limit: int) -> Sequence[Subscription]:
        """Newest first."""
        found: dict[str, Any] = dict(whose) | ({"_id": {"$lt": before}} if before else {})
        with in_time():
            rows = list(self._rows.find(found).sort("_id", DESCENDING).limit(limit))
        return [_subscription(row) for row in rows]

    def change(self, subscription_id: str, fields: Mapping[str, Any], session: Session) -> None:
        """Set what a person asked for."""
        self._rows.update_one(
            {"_id": subscription_id},
            {"$set": {**fields, "updated_at": datetime.now(UTC)}, "$inc": {"version": 1}},
            session=session,
        )

    def delete(self, subscription_id: str, whose: Mapping[str, str], session: Session) -> bool:
        """Whether it was there."""
        return bool(self._rows.delete_one({"_id": subscription_id, **whose}, session=session).deleted_count)

    def wanting(
        self, client_ids: Sequence[str], event_type: str, session: Session
    ) -> Sequence[tuple[str, str]]:
        """(subscription, client) of the active ones of these clients that name this type."""
        found = {
            "client_id": {"$in": list(client_ids)},
            "state": "active",
            "types": {"$in": [event_type, "*"]},
        }
        return [
            (row["_id"], row["client_id"])
            for row in self._rows.find(found, {"client_id": True}, session=session)
        ]

    # --- feeding checkpoints ---

    def hungry(
        self, event_type: str, before: datetime, limit: int, but: str = ""
    ) -> Sequence[tuple[str, str]]:
        """(subscription, client) of the active ones that name this type, whose last turn was not after
        `before`, and that were not given the tree `but` last; those that have waited longest first."""
        found = {"types": event_type, "state": "active", "fed_at": {"$lte": before}, "fed": {"$ne": but}}
        with in_time():
            rows = self._rows.find(found, {"client_id": True}).sort("fed_at", ASCENDING).limit(limit)
            return [(row["_id"], row["client_id"]) for row in rows.hint("feed")]

    def take_turn(self, subscription_id: str, before: datetime, session: Session) -> bool:
        """Whether it is its turn: of two instances one takes it."""
        found = {"_id": subscription_id, "state": "active", "fed_at": {"$lte": before}}
        turn = {"$set": {"fed_at": datetime.now(UTC)}}
        return bool(self._rows.update_one(found, turn, session=session).matched_count)

    def fed(self, subscription_id: str, tree: str, session: Session) -> None:
        self._rows.update_one({"_id": subscription_id}, {"$set": {"fed": tree}}, session=session)

    # --- delivering ---

    def take(self, subscription_id: str, holder: str, seconds: float) -> Subscription | None:
        """Take, or renew, the lease of an active one. None: another has it, or there is nothing to have."""
        free = {"$or": [{"$eq": ["$lease_holder", holder]}, {"$lte": ["$lease_until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", int(seconds * 1000)]}
        with in_time():
            row = self._rows.find_one_and_update(
                {"_id": subscription_id, "state": "active", "$expr": free},
                [{"$set": {"lease_holder": holder, "lease_until": until}}],
                return_document=ReturnDocument.AFTER,
            )
        return None if row is None else _subscription(row)

    def release(self, subscription_id: str, holder: str) -> None:
        with in_time():
            self._rows.update_one(
                {"_id": subscription_id, "lease_holder": holder}, {"$set": {"lease_until": _LONG_AGO}}
            )

    def state(self, subscription_id: str) -> SubscriptionState | None:
        """None: there is none."""
        with in_time():
            row = self._rows.find_one({"_id": subscription_id}, {"state": True})
        return None if row is None else row["state"]

    def next_number(self, subscription_id: str, holder: str, session: Session) -> int | None:
        """Take the next sequence number. None for who no longer has the lease."""
        row = self._rows.find_one_and_update(
            {"_id": subscription_id, "lease_holder": holder, "state": "active"},
            {"$inc": {"next_sequence": 1}},
            projection={"next_sequence": True},
            session=session,
        )
        return None if row is None else int(row["next_sequence"])

    def disable(self, subscription_id: str) -> None:
        """Its receiver said that it is gone."""
        with in_time():
            self._rows.update_one(
                {"_id": subscription_id, "state": "active"},
                {"$set": {"state": "disabled", "updated_at": datetime.now(UTC)}, "$inc": {"version": 1}},
            )

    # --- secrets ---

    def sealed_otherwise(self, kid: str, limit: int) -> Sequence[Subscription]:
        """Those whose secret is not sealed with the key `kid`."""
        with in_time():
            rows = list(self._rows.find({"kid": {"$ne": kid}}).sort("kid", ASCENDING).limit(limit))
        return [_subscription(row) for row in rows]

    def reseal(self, subscription_id: str, was: str, kid: str, secret: bytes) -> None:
        with in_time():
            self._rows.update_one(
                {"_id": subscription_id, "kid": was}, {"$set": {"kid": kid, "secret": secret}}
            )


def _subscription(row: Document) -> Subscription:
    return Subscription(
        id=row["_id"],
        agency_id=row["agency_id"],
        client_id=row["client_id"],
        accountable_id=row.get("accountable_id"),
        url=row["url"],
        types=tuple(row["types"]),
        secret=row["secret"],
        kid=row["kid"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        state=row["state"],
        next_sequence=row["next_sequence"],
        version=row["version"],
    )


def _make_indexes(database: Database[Document]) -> None:
    rows = database["subscriptions"]
    rows.create_index([("client_id", ASCENDING), ("_id", DESCENDING)], name="client")
    rows.create_index([("agency_id", ASCENDING), ("_id", DESCENDING)], name="agency")
    rows.create_index([("kid", ASCENDING)], name="kid")


def _make_feed(database: Database[Document]) -> None:
    rows = database["subscriptions"]
    rows.update_many({"fed_at": {"$exists": False}}, {"$set": {"fed_at": _LONG_AGO}})
    behind = [("state", ASCENDING), ("fed_at", ASCENDING), ("fed", ASCENDING)]
    rows.create_index([("types", ASCENDING), *behind], name="feed")


STEPS = (Step("subscriptions_indexes", _make_indexes), Step("subscriptions_feed", _make_feed))
