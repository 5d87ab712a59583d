"""The envelope of an event."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event, moment_of, new_event_id

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def event(number: int = 3, **changes: object) -> Event:
    made = Event.of("echo", NOTE_CHANGED, "notes/n-1", number, NoteChanged(note_id="n-1"), now=NOW)
    return made.model_copy(update=changes)


def test_an_event_says_who_what_and_which_version() -> None:
    made = event()
    assert (made.producer, made.type, made.subject, made.number) == ("echo", "note.changed", "notes/n-1", 3)
    assert made.read(NoteChanged) == NoteChanged(note_id="n-1")


def test_an_absent_attribute_is_left_out_of_the_wire() -> None:
    assert "traceparent" not in json.loads(event().to_json())
    assert json.loads(event(traceparent=TRACE).to_json())["traceparent"] == TRACE


def test_an_unknown_attribute_is_ignored() -> None:
    body = json.dumps({**json.loads(event().to_json()), "dataschema": "x", "newer": {"a": 1}})
    assert Event.from_json(body.encode()).number == 3


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"id": "x"},
        {"id": "0af76519-16cd-43dd-8448-eb211c80319c"},
        {"source": "echo"},
        {"source": "/concordat/"},
        {"type": "note"},
        {"type": "note.changed.twice"},
        {"time": "yesterday"},
        {"time": "2026-11-23T09:30:00"},
        {"subject": "notes"},
        {"subject": "notes/Margaret Hollis"},
        {"sequence": 3},
        {"sequence": "0"},
        {"sequence": "-1"},
        {"sequence": "03"},
        {"sequence": "9" * 19},
        {"datacontenttype": "text/plain"},
        {"traceparent": "00-x"},
        {"data": []},
        {"data": None},
    ],
)
def test_an_envelope_that_is_not_ours_is_refused_without_quoting_it(change: dict[str, object]) -> None:
    body = json.dumps({**json.loads(event().to_json()), **change})
    with pytest.raises(ValidationError) as refused:
        Event.from_json(body.encode())
    assert "Margaret" not in str(refused.value)


def test_every_attribute_but_the_trace_is_required() -> None:
    body = json.loads(event().to_json())
    for name in body.keys() - {"specversion", "datacontenttype"}:
        with pytest.raises(ValidationError):
            Event.from_json(json.dumps({key: body[key] for key in body if key != name}).encode())


@given(st.integers(1, 10**18 - 1), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True))
def test_an_event_goes_through_the_wire_unchanged(number: int, note_id: str) -> None:
    made = Event.of(
        "echo",
        NOTE_CHANGED,
        f"notes/{note_id}",
        number,
        NoteChanged(note_id=note_id),
        now=NOW,
        traceparent=TRACE,
    )
    assert Event.from_json(made.to_json()) == made
    assert Event.from_json(made.to_json()).number == number


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        Event.from_json(body)


def test_ids_are_unique_and_tell_when_they_were_made() -> None:
    before = datetime.now(UTC)
    made = [new_event_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(before - timedelta(seconds=1) <= moment_of(event_id) <= datetime.now(UTC) for event_id in made)
    assert [moment_of(event_id) for event_id in made] == sorted(moment_of(event_id) for event_id in made)
