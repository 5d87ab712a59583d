"""What the proving ground says: `echo` keeps notes, `mirror` follows their changes by event.

echo.say(Say) -> Said                       query
echo.change_note(ChangeNote) -> NoteVersion command, emits note.changed
echo.get_note(GetNote) -> Note              query
echo.ask_mirror(AskMirror) -> MirrorState   query that calls mirror.get_mirror
mirror.get_mirror(GetMirror) -> MirrorState query
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from .messages import EventData, Id, Reply, Request

NOTE_CHANGED = "note.changed"
"""The type of the event that carries `NoteChanged`, about the aggregate "notes/<note_id>"."""

Text = Annotated[str, StringConstraints(max_length=10_000)]
Version = Annotated[int, Field(ge=0)]


class Say(Request):
    """Say this back."""

    text: Text


class Said(Reply):
    """The same text."""

    text: str


class ChangeNote(Request):
    """Set the text of a note; the note is made if there is none."""

    note_id: Id
    text: Text


class NoteVersion(Reply):
    """The version that a change made, from 1."""

    note_id: Id
    version: Version


class GetNote(Request):
    """Read one note. Raises NotVisible."""

    note_id: Id


class Note(Reply):
    """A note as it is now."""

    note_id: Id
    text: str
    version: Version


class AskMirror(Request):
    """Ask `mirror`, through `echo`, how far it has followed a note."""

    note_id: Id


class GetMirror(Request):
    """Ask how far the events of a note have been applied. A note never heard of is at version 0."""

    note_id: Id


class MirrorState(Reply):
    """The last version heard of, and how many changes were applied: equal unless one was lost or doubled."""

    note_id: Id
    version: Version
    applied: Version


class NoteChanged(EventData):
    """A note has a new version."""

    note_id: Id
