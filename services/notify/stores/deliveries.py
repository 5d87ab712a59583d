"""Events on their way to subscriptions.

deliveries  {_id, subscription_id, client_id, event_id, type, lane, number, item: as in items, or
            {event_id, at, origin, size, root_hash, note}, state,
            sequence, attempts: [{at, ms, status?, error?}], due, tries, armed_at, stored_at}

`lane` is "producer/case": within it a delivery waits for those with a lower `number`. `due` is null unless it
is pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.migrations import Step
from services.chassis.mongo import LONGEST, Document, Session, in_time, transact
from services.contracts.envelope import new_event_id
from services.contracts.errors import NotVisible, Unavailable
from services.notify.domain import delivery as machine
from services.notify.domain.checkpoints import Checkpoint
from services.notify.domain.delivery import Attempt, Delivery, Told
from services.notify.stores.items import KEPT_SECONDS
from services.notify.stores.rows import told_from_row, told_to_row
from services.notify.stores.subscriptions import SubscriptionStore

ATTEMPTS_KEPT = 50
_HEADS, _LANES = 64, 20


class DeliveryStore:
    """Deliveries in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._client, self._rows = database.client, database["deliveries"]

    def add(self, item: Told, wanted: Sequence[tuple[str, str]], session: Session) -> None:
        """One delivery of `item` for each (subscription, client)."""
        now, row = datetime.now(UTC), told_to_row(item)
        self._rows.insert_many(
            [
                {
                    "_id": new_event_id(),
                    "subscription_id": subscription_id,
                    "client_id": client_id,
                    "event_id": item.event_id,
                    "type": item.type,
                    "lane": item.lane,
                    "number": item.number,
                    "item": row,
                    "state": "pending",
                    "sequence": None,
                    "attempts": [],
                    "due": now,
                    "tries": 0,
                    "armed_at": now,
                    "stored_at": now,
                }
                for subscription_id, client_id in wanted
            ],
            session=session,
        )

    # --- reading ---

    def page(self, subscription_id: str, before: str | None, limit: int) -> Sequence[Delivery]:
        """Newest first."""
        found: dict[str, Any] = {"subscription_id": subscription_id}
        if before:
            found["_id"] = {"$lt": before}
        with in_time():
            rows = list(self._rows.find(found).sort("_id", DESCENDING).limit(limit))
        return [_delivery(row) for row in rows]

    def load(self, subscription_id: str, delivery_id: str, session: Session | None = None) -> Delivery:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one(
                {"_id": delivery_id, "subscription_id": subscription_id}, session=session
            )
        if row is None:
            raise NotVisible
        return _delivery(row)

    def feed(
        self,
        newest: Checkpoint,
        to: tuple[str, str],
        subscriptions: SubscriptionStore,
        before: datetime,
        *,
        give: bool,
    ) -> None:
        """Use up the turn of a (subscription, client), if it had none since `before`; and if it may be given
        the checkpoint, give it, unless it has one pending."""
        pending = {"subscription_id": to[0], "state": "pending", "lane": newest.lane}

        def take(session: Session) -> None:
            mine = subscriptions.take_turn(to[0], before, session)
            if mine and give and self._rows.find_one(pending, {"_id": True}, session=session) is None:
                subscriptions.fed(to[0], newest.tree, session)
                self.add(newest, [to], session)

        transact(self._client, Deadline.after(LONGEST), take)

    # --- what is to be done ---

    def due_subscriptions(self, now: datetime, limit: int) -> list[str]:
        """Subscriptions that have something due; those that have waited longest first.

        The index is stepped through by subscription: a long queue of one costs and hides nothing.
        """
        pipeline: list[Document] = [
            {"$match": {"state": "pending"}},
            {"$sort": {"subscription_id": ASCENDING, "due": ASCENDING}},
            {"$group": {"_id": "$subscription_id", "due": {"$first": "$due"}}},
            {"$match": {"due": {"$lte": now}}},
            {"$sort": {"due": ASCENDING}},
            {"$limit": limit},
        ]
        with in_time():
            return [row["_id"] for row in self._rows.aggregate(pipeline)]

    def heads(self, subscription_id: str, now: datetime) -> Sequence[Delivery]:
        """The first pending one of each lane, if it is due."""
        pipeline: list[Document] = [
            {"$match": {"subscription_id": subscription_id, "state": "pending"}},
            {"$sort": {"lane": ASCENDING, "number": ASCENDING}},
            {"$group": {"_id": "$lane", "first": {"$first": "$$ROOT"}}},
            {"$match": {"first.due": {"$lte": now}}},
            {"$sort": {"first.due": ASCENDING}},
            {"$limit": _HEADS},
        ]
        with in_time():
            return [_delivery(row["first"]) for row in self._rows.aggregate(pipeline)]

    def hold_behind(self, subscription_id: str, now: datetime) -> None:
        """What is due but waits for its lane's first one becomes due with that."""
        with in_time():
            due = self._rows.find(
                {"state": "pending", "due": {"$lte": now}, "subscription_id": subscription_id}, {"lane": True}
            ).sort("due", ASCENDING)
            for lane in dict.fromkeys(row["lane"] for row in due.limit(_LANES)):
                pending = {"subscription_id": subscription_id, "state": "pending", "lane": lane}
                head = self._rows.find_one(pending, {"due": True}, sort=[("number", ASCENDING)])
                if head is not None and head["due"] > now:
                    self._rows.update_many({**pending, "due": {"$lte": now}}, {"$set": {"due": head["due"]}})

    # --- what becomes of it ---

    def give_number(
        self, delivery: Delivery, subscriptions: SubscriptionStore, holder: str, deadline: Deadline
    ) -> int:
        """Its sequence number, given now if it has none. Raises Unavailable: another instance is at it."""
        if delivery.sequence is not None:
            return delivery.sequence

        def give(session: Session) -> int:
            number = subscriptions.next_number(delivery.subscription_id, holder, session)
            given = self._rows.update_one(
                {"_id": delivery.id, "state": "pending", "sequence": None},
                {"$set": {"sequence": number}},
                session=session,
            )
            if number is None or not given.matched_count:
                raise Unavailable(cause="lease lost")
            return number

        return transact(self._client, deadline, give)

    def attempted(self, delivery: Delivery, attempt: Attempt, step: machine.Step) -> None:
        """Record an attempt and what it leads to."""
        push = {"attempts": {"$each": [_attempt_row(attempt)], "$slice": -ATTEMPTS_KEPT}}
        with in_time():
            done = self._rows.update_one(
                {"_id": delivery.id, "state": "pending", "armed_at": delivery.armed_at},
                {"$push": push, "$set": {"state": step.state, "due": step.due}, "$inc": {"tries": 1}},
            )
            if not done.matched_count:  # sent again, or disabled, meanwhile
                self._rows.update_one({"_id": delivery.id}, {"$push": push})

    def withhold(self, delivery: Delivery) -> None:
        """Its client may no longer know of it."""
        self._move(delivery, {"state": "withheld", "due": None})

    def put_off(self, delivery: Delivery, due: datetime) -> None:
        """Nothing was tried."""
        self._move(delivery, {"due": due})

    def _move(self, delivery: Delivery, fields: Document) -> None:
        with in_time():
            self._rows.update_one(
                {"_id": delivery.id, "state": "pending", "armed_at": delivery.armed_at}, {"$set": fields}
            )

    def fail_all(self, subscription_id: str, session: Session | None = None) -> None:
        """Nothing is delivered to a subscription that is disabled."""
        why = _attempt_row(Attempt(datetime.now(UTC), 0, error="subscription_disabled"))
        with in_time():
            self._rows.update_many(
                {"subscription_id": subscription_id, "state": "pending"},
                {"$set": {"state": "failed", "due": None}, "$push": {"attempts": why}},
                session=session,
            )

    def arm(self, delivery: Delivery, session: Session) -> None:
        """Have it sent again, now."""
        now = datetime.now(UTC)
        fields: Document = {"due": now}
        if delivery.state != "pending":  # one that is pending goes on counting, only sooner
            fields |= {"state": "pending", "tries": 0, "armed_at": now}
        self._rows.update_one({"_id": delivery.id}, {"$set": fields}, session=session)

    def forget(self, subscription_id: str, limit: int) -> int:
        """Delete some deliveries of a subscription that is deleted; say how many."""
        with in_time():
            ids = [
                row["_id"]
                for row in self._rows.find({"subscription_id": subscription_id}, {"_id": True}).limit(limit)
            ]
            return self._rows.delete_many({"_id": {"$in": ids}}).deleted_count if ids else 0


def _delivery(row: Document) -> Delivery:
    return Delivery(
        id=row["_id"],
        subscription_id=row["subscription_id"],
        client_id=row["client_id"],
        item=told_from_row(row["item"]),
        state=row["state"],
        sequence=row["sequence"],
        attempts=tuple(
            Attempt(one["at"], one["ms"], one.get("status"), one.get("error")) for one in row["attempts"]
        ),
        due=row["due"],
        tries=row["tries"],
        armed_at=row["armed_at"],
    )


def _attempt_row(attempt: Attempt) -> Document:
    told = {"at": attempt.at, "ms": attempt.ms, "status": attempt.status, "error": attempt.error}
    return {name: value for name, value in told.items() if value is not None}


def _make_indexes(database: Database[Document]) -> None:
    rows = database["deliveries"]
    rows.create_index([("subscription_id", ASCENDING), ("_id", DESCENDING)], name="listing")
    rows.create_index(
        [("subscription_id", ASCENDING), ("state", ASCENDING), ("lane", ASCENDING), ("number", ASCENDING)],
        name="lanes",
    )
    rows.create_index([("state", ASCENDING), ("subscription_id", ASCENDING), ("due", ASCENDING)], name="due")
    rows.create_index([("subscription_id", ASCENDING), ("event_id", ASCENDING)], name="once", unique=True)
    rows.create_index([("stored_at", ASCENDING)], name="kept", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("deliveries_indexes", _make_indexes),)
