"""What was told, what came of it, which events wait to be published: one record, in the effect's transaction.

    commands  {_id: "ChangeNote/gateway/<key>", at, body_hash, outcome | refusal,
               events: [{id, aggregate, number, type, body}], unsent: true | done_at}

One collection and not two: every operation in a transaction costs as much as an RPC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document
from services.contracts.envelope import Event

KEPT_SECONDS = 72 * 3600
"""How long an outcome is remembered, and a published event can be found: at least 24 hours are promised."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event to publish. `record` is the command that it came of."""

    record: str
    id: str
    aggregate: str
    number: int
    type: str
    body: bytes
    at: datetime


class Outbox:
    """The events in the collection `commands`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["commands"]

    def waiting(self, limit: int) -> list[Waiting]:
        """Those of the oldest `limit` records not yet sent; an aggregate's in the order of their numbers."""
        rows = self._rows.find({"unsent": True}, {"events": True, "at": True})
        found = [
            Waiting(
                row["_id"], one["id"], one["aggregate"], one["number"], one["type"], one["body"], row["at"]
            )
            for row in rows.sort("at", ASCENDING).limit(limit).batch_size(limit + 1)
            for one in row["events"]
        ]
        return sorted(found, key=lambda event: event.number)

    def mark_sent(self, records: Iterable[str]) -> None:
        """Record the confirms. True whoever says it, and however often: no fence is needed here."""
        self._rows.update_many(
            {"_id": {"$in": list(records)}},
            {"$unset": {"unsent": True}, "$set": {"done_at": datetime.now(UTC)}},
        )


def columns(events: Sequence[Event]) -> Document:
    """What a record holds of its events. It can be forgotten once it is done: without events, at once."""
    if not events:
        return {"done_at": datetime.now(UTC)}
    return {"events": [_column(event) for event in events], "unsent": True}


def _column(event: Event) -> Document:
    return {
        "id": event.id,
        "aggregate": event.subject,
        "number": event.number,
        "type": event.type,
        "body": event.to_json(),
    }


def _make_indexes(database: Database[Document]) -> None:
    rows = database["commands"]
    rows.create_index([("at", ASCENDING)], name="unsent", partialFilterExpression={"unsent": True})
    rows.create_index([("done_at", ASCENDING)], name="done_at", expireAfterSeconds=KEPT_SECONDS)


STEPS = (Step("commands_indexes", _make_indexes),)
"""For the migrations of every service that has commands."""
