"""The proving ground's producer: a query, a command that changes a document, an event, a call elsewhere."""

from __future__ import annotations

from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands, Emit
from services.chassis.mongo import Session
from services.chassis.rpc import ANYONE, command, rpc
from services.chassis.stored import Stored
from services.contracts.echo import (
    NOTE_CHANGED,
    AskMirror,
    ChangeNote,
    GetMirror,
    GetNote,
    MirrorState,
    Note,
    NoteChanged,
    NoteVersion,
    Said,
    Say,
)
from services.contracts.errors import NotVisible
from services.echo.domain import aggregate
from services.echo.store import STEPS, NoteStore


class EchoService:
    """Notes that anybody may write and read."""

    name = "echo"

    notes: NoteStore = Stored(NoteStore, STEPS)
    commands: CommandLog = Commands()
    mirror: Peer = Remote("mirror")

    @rpc(callers=ANYONE)
    def say(self, request: Say) -> Said:
        """Return the text."""
        return Said(text=request.text)

    @command(callers=ANYONE)
    def change_note(self, request: ChangeNote) -> NoteVersion:
        """Set the text of a note, once for each key."""
        key = self.commands.key()

        def record(session: Session, emit: Emit) -> NoteVersion:
            version = self.notes.change(request.note_id, request.text, key, session)
            emit(NOTE_CHANGED, aggregate(request.note_id), version, NoteChanged(note_id=request.note_id))
            return NoteVersion(note_id=request.note_id, version=version)

        return self.commands.run(request, NoteVersion, record)

    @rpc(callers=ANYONE, expected_exceptions=NotVisible)
    def get_note(self, request: GetNote) -> Note:
        """Return a note as it is now."""
        note = self.notes.load(request.note_id)
        return Note(note_id=note.note_id, text=note.text, version=note.version)

    @rpc(callers=ANYONE)
    def ask_mirror(self, request: AskMirror) -> MirrorState:
        """Return what `mirror` says of a note."""
        state: MirrorState = self.mirror.call(
            "get_mirror", GetMirror(note_id=request.note_id), reply=MirrorState
        )
        return state
