"""A command takes effect once: effect, outcome and event are there together or not at all. Real database."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.chassis import context
from services.chassis.commandlog import CommandLog, Emit
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.mongo import Client, Session, connect
from services.contracts.echo import NOTE_CHANGED, ChangeNote, NoteChanged, NoteVersion
from services.contracts.envelope import Event
from services.contracts.errors import (
    ConcordatError,
    DeadlineExpired,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    InvalidTransition,
    NotVisible,
    Refused,
    Stale,
    Unavailable,
)
from services.echo.store import NoteStore
from tests.cell import Parts


def serving(key: str | None, seconds: float = 5.0, peer: str = "gateway") -> Context:
    return Context("request", Deadline.after(seconds), peer=peer, key=key)


def own(note: str, key: str) -> str:
    """The tests share a database: each has keys of its own."""
    return f"{note}-{key}" if key else ""


class Bench:
    """A command log on a database, and the command of `echo`."""

    def __init__(self, client: Client, **options: Any) -> None:
        self.database = client["echo"]
        self.notes, self.told = NoteStore(self.database), list[Event]()
        self.log = CommandLog(self.database, "echo", self.told.extend, **options)

    def change(
        self,
        note: str,
        key: str,
        text: str = "text",
        last: Callable[[], None] | None = None,
        **more: Any,
    ) -> NoteVersion:
        request = ChangeNote(note_id=note, text=text)

        def record(session: Session, emit: Emit) -> NoteVersion:
            version = self.notes.change(note, text, key, session)
            emit(NOTE_CHANGED, f"notes/{note}", version, NoteChanged(note_id=note))
            return NoteVersion(note_id=note, version=version)

        with context.use(serving(own(note, key), **more)):
            return self.log.run(request, NoteVersion, record, last=last)

    def refuse(self, note: str, key: str, problem: Exception) -> None:
        def record(session: Session, emit: Emit) -> NoteVersion:
            self.notes.change(note, "half done", key, session)
            emit(NOTE_CHANGED, f"notes/{note}", 1, NoteChanged(note_id=note))
            raise problem

        with context.use(serving(own(note, key))):
            self.log.run(ChangeNote(note_id=note, text="text"), NoteVersion, record)

    def events(self, note: str) -> list[int]:
        """The numbers of the events recorded for a note."""
        rows = self.database["commands"].find({"events.aggregate": f"notes/{note}"})
        return sorted(event["number"] for row in rows for event in row["events"])

    def versions(self, note: str) -> list[int]:
        return [change.version for change in self.notes.changes(note)]


@pytest.fixture
def client(parts: Parts) -> Iterator[Client]:
    with connect(parts.mongo_url("echo"), app="test") as client:
        yield client


@pytest.fixture
def bench(client: Client) -> Bench:
    return Bench(client)


@pytest.fixture
def note() -> str:
    return uuid.uuid4().hex


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Results, or the errors, of `count` calls begun at the same moment."""
    gate = threading.Barrier(count)

    def run(number: int) -> Any:
        gate.wait()
        try:
            return act(number)
        except Exception as problem:
            return problem

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_effect_outcome_and_event_are_stored_together(bench: Bench, note: str) -> None:
    assert bench.change(note, "k1") == NoteVersion(note_id=note, version=1)
    assert bench.versions(note) == bench.events(note) == [1]
    assert [event.number for event in bench.told] == [1]


def test_a_repeated_command_returns_the_first_outcome_and_does_nothing(bench: Bench, note: str) -> None:
    first = bench.change(note, "k1")
    bench.change(note, "k2")
    assert bench.change(note, "k1") == first
    assert bench.versions(note) == bench.events(note) == [1, 2]


def test_twenty_at_once_with_one_key_take_effect_once(bench: Bench, note: str) -> None:
    outcomes = at_once(20, lambda number: bench.change(note, "k1"))
    assert outcomes == [NoteVersion(note_id=note, version=1)] * 20
    assert bench.versions(note) == bench.events(note) == [1]


def test_twenty_at_once_with_their_own_keys_all_take_effect_in_some_order(bench: Bench, note: str) -> None:
    outcomes = at_once(20, lambda number: bench.change(note, f"k{number}"))
    assert sorted(outcome.version for outcome in outcomes) == list(range(1, 21))
    assert bench.versions(note) == bench.events(note) == list(range(1, 21))


def test_a_key_used_for_another_request_is_refused(bench: Bench, note: str) -> None:
    bench.change(note, "k1", text="one")
    with pytest.raises(IdempotencyKeyReused):
        bench.change(note, "k1", text="other")
    assert bench.notes.load(note).text == "one"


def test_two_callers_may_choose_the_same_key(bench: Bench, note: str) -> None:
    bench.change(note, "k1", peer="gateway")
    assert bench.change(note, "k1", peer="mirror").version == 2


def test_a_command_without_a_key_is_refused(bench: Bench, note: str) -> None:
    with pytest.raises(IdempotencyKeyRequired):
        bench.change(note, "")
    assert bench.versions(note) == []


def test_a_refused_command_leaves_nothing_and_stays_refused(bench: Bench, note: str) -> None:
    with pytest.raises(Stale):
        bench.refuse(note, "k1", Stale())
    assert bench.versions(note) == bench.events(note) == []
    with pytest.raises(Stale):
        bench.change(note, "k1")
    assert bench.versions(note) == []


def test_a_repetition_that_would_be_refused_now_returns_the_first_outcome(bench: Bench, note: str) -> None:
    """The state has changed: by the first run itself."""
    first = bench.change(note, "k1")
    request = ChangeNote(note_id=note, text="text")

    def record(session: Session, emit: Emit) -> NoteVersion:
        raise InvalidTransition

    with context.use(serving(own(note, "k1"))):
        assert bench.log.run(request, NoteVersion, record) == first


@pytest.mark.parametrize("problem", [Refused, NotVisible])
def test_who_may_no_longer_know_is_not_told_the_first_outcome(
    bench: Bench, note: str, problem: type[ConcordatError]
) -> None:
    bench.change(note, "k1")
    with pytest.raises(problem):
        bench.refuse(note, "k1", problem())


@pytest.mark.parametrize("problem", [Unavailable(), RuntimeError("bug")])
def test_what_fails_for_another_reason_may_be_tried_again(
    bench: Bench, note: str, problem: Exception
) -> None:
    with pytest.raises(type(problem)):
        bench.refuse(note, "k1", problem)
    assert bench.versions(note) == bench.events(note) == []
    assert bench.change(note, "k1").version == 1


def test_after_the_deadline_nothing_is_begun(bench: Bench, note: str) -> None:
    with pytest.raises(DeadlineExpired):
        bench.change(note, "k1", seconds=-1)
    assert bench.versions(note) == []


def test_a_record_holds_ids_and_no_text_and_stays_until_its_events_are_sent(bench: Bench, note: str) -> None:
    bench.change(note, "k1", text="confidential")
    row = bench.database["commands"].find_one({"_id": f"ChangeNote/gateway/{own(note, 'k1')}"})
    assert row is not None
    assert "confidential" not in str(row)
    assert row["unsent"] is True
    assert "done_at" not in row


def test_with_dedupe_switched_off_a_repetition_takes_effect_again(client: Client, note: str) -> None:
    bench = Bench(client, dedupe=False)
    assert [bench.change(note, "k1").version for _ in range(2)] == [1, 2]


def test_with_the_outbox_switched_off_the_event_is_in_nobodys_keeping(client: Client, note: str) -> None:
    bench = Bench(client, boxed=False)
    bench.change(note, uuid.uuid4().hex)
    assert bench.events(note) == []
    assert [event.number for event in bench.told] == [1]


def test_what_is_told_last_is_not_told_by_a_repetition(bench: Bench, note: str) -> None:
    told: list[int] = []
    first = bench.change(note, "key", last=lambda: told.append(1))
    assert bench.change(note, "key", last=lambda: told.append(2)) == first
    assert told == [1]
    assert bench.versions(note) == [1]


def test_nothing_takes_effect_when_it_cannot_be_told(bench: Bench, note: str) -> None:
    def fail() -> None:
        raise Unavailable

    with pytest.raises(Unavailable):
        bench.change(note, "key", last=fail)
    assert bench.versions(note) == []
    assert bench.events(note) == []
    assert bench.change(note, "key").version == 1
