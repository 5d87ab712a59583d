"""Other people's tools read our events, and we read theirs: the independent `cloudevents` library."""

from __future__ import annotations

from datetime import UTC, datetime

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event, new_event_id
from tests.unit.contracts.test_envelope import TRACE, event


def test_the_library_accepts_our_event_and_reads_the_same() -> None:
    ours = event(traceparent=TRACE)
    theirs = JSONFormat().read(CloudEvent, ours.to_json())

    assert (theirs.get_id(), theirs.get_source(), theirs.get_type()) == (ours.id, ours.source, ours.type)
    assert (theirs.get_subject(), theirs.get_time()) == (ours.subject, ours.time)
    assert theirs.get_extension("sequence") == ours.sequence
    assert theirs.get_extension("traceparent") == TRACE
    assert theirs.get_data() == ours.data
    assert theirs.get_datacontenttype() == "application/json"


def test_we_accept_an_event_that_the_library_wrote() -> None:
    theirs = CloudEvent(
        {
            "id": new_event_id(),
            "source": "/concordat/echo",
            "type": NOTE_CHANGED,
            "time": datetime.now(UTC),
            "subject": "notes/n-1",
            "datacontenttype": "application/json",
            "sequence": "7",
        },
        {"note_id": "n-1"},
    )
    ours = Event.from_json(JSONFormat().write(theirs))
    assert (ours.number, ours.read(NoteChanged).note_id) == (7, "n-1")
