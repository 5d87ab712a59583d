"""Where notes are kept.

notes    {_id: note id, text, version}
changes  {note_id, version, key}: one row for each change that took effect, only ever added to
"""

from __future__ import annotations

from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.chassis.outbox import STEPS as COMMAND_STEPS
from services.contracts.errors import NotVisible
from services.echo.domain import Change, Note


class NoteStore:
    """Notes in MongoDB. `fakes.FakeNoteStore` stands beside it, and passes the same tests."""

    def __init__(self, database: Database[Document]) -> None:
        self._notes, self._changes = database["notes"], database["changes"]

    def change(self, note_id: str, text: str, key: str, session: Session) -> int:
        """Set the text, making the note if there is none; return the version that this made."""
        row: Document = self._notes.find_one_and_update(  # type: ignore[assignment]  # AFTER and upsert: never None
            {"_id": note_id},
            {"$set": {"text": text}, "$inc": {"version": 1}},
            projection={"version": True},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        version = int(row["version"])
        self._changes.insert_one({"note_id": note_id, "version": version, "key": key}, session=session)
        return version

    def load(self, note_id: str) -> Note:
        """Raises NotVisible."""
        with in_time():
            row = self._notes.find_one({"_id": note_id})
        if row is None:
            raise NotVisible
        return Note(note_id, row["text"], row["version"])

    def changes(self, note_id: str) -> list[Change]:
        """Every change that took effect, in the order of the versions."""
        with in_time():
            rows = list(self._changes.find({"note_id": note_id}).sort("version", ASCENDING))
        return [Change(row["version"], row["key"]) for row in rows]


def _make_indexes(database: Database[Document]) -> None:
    database["changes"].create_index([("note_id", ASCENDING), ("version", ASCENDING)], name="note")


STEPS = (*COMMAND_STEPS, Step("changes_index", _make_indexes))
