"""A mirror whose handler fails on demand, by the name of the note."""

from __future__ import annotations

from typing import Any

from pymongo import ReturnDocument

from services.chassis.events import subscribe
from services.chassis.mongo import Mongo, Session
from services.contracts.echo import NOTE_CHANGED
from services.contracts.envelope import Event
from services.mirror.service import MirrorService

FAILS_TWICE, FAILS_UNTIL_HEALED = "fails-twice-", "fails-until-healed-"


class NotToday(Exception):
    """The handler's own failure."""


class FussyMirror(MirrorService):
    """A fails-twice-… note's first event fails twice, a fails-until-healed-… note until `healed` has it."""

    name = "mirror"

    database: Any = Mongo()

    @subscribe("echo", NOTE_CHANGED)
    def note_changed(self, event: Event, session: Session) -> None:
        note = event.data.get("note_id", "")
        # The effect comes first: it has to be undone.
        super().note_changed(event, session)
        if note.startswith(FAILS_UNTIL_HEALED) and self.database["healed"].find_one({"_id": note}) is None:
            raise NotToday
        if note.startswith(FAILS_TWICE) and event.number == 1 and self._tries(event) <= 2:
            raise NotToday

    def _tries(self, event: Event) -> int:
        """Counted outside the transaction, which is going to be given up."""
        row = self.database["tries"].find_one_and_update(
            {"_id": event.id}, {"$inc": {"count": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        return int(row["count"])
