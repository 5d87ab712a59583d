"""How far each aggregate's events have taken effect, stored beside the effects and in their transactions.

positions  {_id: "echo/notes/1", applied, recent: [{n, id}], skipped: [[first, last]]}
gaps       {source, aggregate, first, last, reason, before, at}: numbers given up, for an operator
"""

from __future__ import annotations

from datetime import UTC, datetime

from pymongo import ASCENDING
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.migrations import Step
from services.chassis.mongo import Document
from services.chassis.ordering import RECALL, Position, Span
from services.contracts.envelope import Event


class Positions:
    """The positions of one consuming service."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._gaps = database["positions"], database["gaps"]

    def step(self, event: Event, session: ClientSession) -> bool:
        """Advance to `event` if it is the next. False: it is not, and the transaction MUST be given up."""
        try:
            done = self._rows.update_one(
                {"_id": _key(event), "applied": event.number - 1},
                {
                    "$set": {"applied": event.number},
                    "$push": {"recent": {"$each": [{"n": event.number, "id": event.id}], "$slice": -RECALL}},
                },
                upsert=event.number == 1,
                session=session,
            )
        except DuplicateKeyError:  # of the upsert: this aggregate has a position, and it is not 0
            return False
        return bool(done.matched_count or done.upserted_id)

    def read(self, event: Event, session: ClientSession | None = None) -> Position:
        """The position of the event's aggregate."""
        row = self._rows.find_one({"_id": _key(event)}, session=session)
        if row is None:
            return Position()
        return Position(
            row["applied"],
            tuple((item["n"], item["id"]) for item in row.get("recent", ())),
            tuple((first, last) for first, last in row.get("skipped", ())),
        )

    def write(self, event: Event, position: Position, session: ClientSession) -> None:
        """Replace the position that was read in this transaction. It fails if another changed it since."""
        row = {
            "applied": position.applied,
            "recent": [{"n": number, "id": id_} for number, id_ in position.recent],
            "skipped": [list(span) for span in position.skipped],
        }
        self._rows.replace_one({"_id": _key(event)}, row, upsert=True, session=session)

    def record_gap(self, event: Event, span: Span, reason: str, session: ClientSession) -> None:
        """Keep for an operator that `span` was given up so that events up to `event` could go on."""
        first, last = span
        self._gaps.insert_one(
            {
                "source": event.producer,
                "aggregate": event.subject,
                "first": first,
                "last": last,
                "reason": reason,
                "before": event.id,
                "at": datetime.now(UTC),
            },
            session=session,
        )


def _key(event: Event) -> str:
    return f"{event.producer}/{event.subject}"


def _make_indexes(database: Database[Document]) -> None:
    database["gaps"].create_index([("at", ASCENDING)], name="at")


STEPS = (Step("gaps_index", _make_indexes),)
"""For the migrations of every service that consumes events."""
