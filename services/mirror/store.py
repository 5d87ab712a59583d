"""Where it is kept how far notes are followed.

mirrored  {_id: note id, version, applied}
applied   {note_id, turn, number, event_id, at}: one row for each event that took effect, only ever added to;
          `turn` counts them
"""

from __future__ import annotations

from datetime import UTC, datetime

from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.chassis.positions import STEPS as EVENT_STEPS
from services.mirror.domain import Followed


class MirrorStore:
    """Followed notes in MongoDB. `fakes.FakeMirrorStore` stands beside it, and passes the same tests."""

    def __init__(self, database: Database[Document]) -> None:
        self._mirrored, self._applied = database["mirrored"], database["applied"]

    def follow(self, note_id: str, number: int, event_id: str, session: Session) -> None:
        """Record that the `number`th change of a note took effect. Knows nothing of repetitions."""
        mirrored: Document = self._mirrored.find_one_and_update(  # type: ignore[assignment]  # never None
            {"_id": note_id},
            {"$max": {"version": number}, "$inc": {"applied": 1}},
            projection={"applied": True},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        self._applied.insert_one(
            {
                "note_id": note_id,
                "turn": mirrored["applied"],
                "number": number,
                "event_id": event_id,
                "at": datetime.now(UTC),
            },
            session=session,
        )

    def load(self, note_id: str) -> Followed:
        """A note never heard of is at version 0."""
        with in_time():
            row = self._mirrored.find_one({"_id": note_id})
        return Followed() if row is None else Followed(row["version"], row["applied"])

    def applied(self, note_id: str) -> list[int]:
        """The numbers of the changes that took effect, in the order in which they did."""
        with in_time():
            rows = list(self._applied.find({"note_id": note_id}, {"number": True}).sort("turn", ASCENDING))
        return [row["number"] for row in rows]


def _make_indexes(database: Database[Document]) -> None:
    database["applied"].create_index([("note_id", ASCENDING), ("turn", ASCENDING)], name="note_turn")


STEPS = (*EVENT_STEPS, Step("applied_by_turn", _make_indexes))
