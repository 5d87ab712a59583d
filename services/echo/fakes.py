"""The note store's double, in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from services.contracts.errors import NotVisible
from services.echo.domain import Change, Note


class FakeNoteStore:
    """Behaves as `store.NoteStore` does; knows no transactions, so a session is ignored."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}
        self._changes: dict[str, list[Change]] = defaultdict(list)

    def change(self, note_id: str, text: str, key: str, session: object) -> int:
        before = self._notes.get(note_id, Note(note_id, "", 0))
        after = self._notes[note_id] = replace(before, text=text, version=before.version + 1)
        self._changes[note_id].append(Change(after.version, key))
        return after.version

    def load(self, note_id: str) -> Note:
        if note_id not in self._notes:
            raise NotVisible
        return self._notes[note_id]

    def changes(self, note_id: str) -> list[Change]:
        return list(self._changes[note_id])
