"""Notes."""

from __future__ import annotations

from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event, moment_of, new_event_id
from services.echo.domain import aggregate


def test_the_events_of_a_note_are_about_the_note() -> None:
    now = moment_of(new_event_id())
    event = Event.of("echo", NOTE_CHANGED, aggregate("n-1"), 3, NoteChanged(note_id="n-1"), now=now)
    assert (event.subject, event.number, event.producer) == ("notes/n-1", 3, "echo")
