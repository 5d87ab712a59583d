"""The proving ground's consumer: follows another service's events."""

from __future__ import annotations

from services.chassis.events import subscribe
from services.chassis.mongo import Session
from services.chassis.rpc import ANYONE, rpc
from services.chassis.stored import Stored
from services.contracts.echo import NOTE_CHANGED, GetMirror, MirrorState, NoteChanged
from services.contracts.envelope import Event
from services.mirror.store import STEPS, MirrorStore


class MirrorService:
    """How far the notes of `echo` are followed."""

    name = "mirror"

    notes: MirrorStore = Stored(MirrorStore, STEPS)

    @subscribe("echo", NOTE_CHANGED)
    def note_changed(self, event: Event, session: Session) -> None:
        """Follow one change."""
        changed = event.read(NoteChanged)
        self.notes.follow(changed.note_id, event.number, event.id, session)

    @rpc(callers=ANYONE)
    def get_mirror(self, request: GetMirror) -> MirrorState:
        """Return how far a note is followed."""
        followed = self.notes.load(request.note_id)
        return MirrorState(note_id=request.note_id, version=followed.version, applied=followed.applied)
