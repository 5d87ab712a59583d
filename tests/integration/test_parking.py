"""Early events wait beside the positions and go back in order, on a real database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.applying import Applier, Result
from services.chassis.deadline import Deadline
from services.chassis.mongo import connect
from services.chassis.ordering import Verdict
from services.chassis.parking import Parking
from services.chassis.positions import Positions, key_of
from services.chassis.retries import Trail
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event
from tests.cell import Parts

TRAIL = Trail(first_at_ms=1, attempts=2)


class Bench:
    """One aggregate, its events, and what took effect."""

    def __init__(self, database: Any) -> None:
        self.applier, self.parking = Applier(database), Parking(database)
        self._effects, self.note = database["effects"], uuid.uuid4().hex
        self.events = [
            Event.of(
                "echo",
                NOTE_CHANGED,
                f"notes/{self.note}",
                n,
                NoteChanged(note_id=self.note),
                now=datetime.now(UTC),
            )
            for n in range(1, 12)
        ]
        self.key = key_of(self.events[0])

    def apply(self, number: int) -> Result:
        def handle(event: Event, session: Any) -> None:
            self._effects.insert_one({"note": self.note, "number": event.number}, session=session)

        return self.applier.apply(self.events[number - 1], handle, Deadline.after(5))

    def park(self, number: int) -> bool:
        return self.parking.park(self.events[number - 1], TRAIL, Deadline.after(5))

    def ready(self) -> list[int]:
        return [parked.number for parked in self.parking.ready(self.key, Deadline.after(5))]

    def forget(self, *numbers: int) -> None:
        self.parking.forget(self.key, [self.events[n - 1].id for n in numbers], Deadline.after(5))

    @property
    def effects(self) -> list[int]:
        return [row["number"] for row in self._effects.find({"note": self.note}).sort("_id", 1)]


@pytest.fixture
def bench(parts: Parts) -> Iterator[Bench]:
    with connect(parts.mongo_url("mirror"), app="test") as client:
        yield Bench(client["mirror"])


def test_the_next_event_is_applied_once_and_others_are_not(bench: Bench) -> None:
    assert bench.apply(2) == (Verdict.EARLY, False)
    assert bench.apply(1) == (Verdict.APPLY, False)
    assert bench.apply(1) == (Verdict.DUPLICATE, False)
    assert bench.apply(2) == (Verdict.APPLY, False)
    assert bench.effects == [1, 2]


def test_what_is_parked_is_told_to_who_applies_the_number_before(bench: Bench) -> None:
    assert bench.park(3)
    assert bench.park(2)
    assert bench.park(5)
    assert bench.ready() == []
    assert bench.apply(1) == (Verdict.APPLY, True)
    assert bench.ready() == [2, 3]


def test_what_is_parked_keeps_its_body_and_its_trail(bench: Bench) -> None:
    bench.park(2)
    first = bench.parking.first(bench.key, Deadline.after(5))
    assert first is not None
    assert Event.from_json(first.body) == bench.events[1]
    assert first.trail == TRAIL


def test_an_event_whose_turn_it_is_is_not_parked(bench: Bench) -> None:
    assert not bench.park(1)
    bench.apply(1)
    assert not bench.park(1)
    assert not bench.park(2)


def test_parking_twice_keeps_one(bench: Bench) -> None:
    assert bench.park(2)
    assert bench.park(2)
    bench.apply(1)
    assert bench.ready() == [2]


def test_the_fast_way_is_open_again_when_nothing_waits(bench: Bench) -> None:
    bench.park(2)
    bench.park(3)
    bench.apply(1)
    bench.forget(2)
    assert bench.apply(2) == (Verdict.APPLY, True)
    bench.forget(3)
    assert bench.apply(3) == (Verdict.APPLY, False)
    assert bench.effects == [1, 2, 3]


def test_parking_and_applying_at_once_never_leave_one_behind(bench: Bench) -> None:
    """Either the one who applies learns of the parked one, or the parking finds that its turn has come."""
    for number in range(1, 10, 2):
        with ThreadPoolExecutor(2) as pool:
            applied, parked = pool.submit(bench.apply, number), pool.submit(bench.park, number + 1)
        assert applied.result().verdict is Verdict.APPLY
        assert applied.result().awaited or not parked.result()
        bench.apply(number + 1)
        bench.forget(number + 1)


def test_a_gap_given_up_lets_parked_ones_go_on_and_its_numbers_are_late(bench: Bench) -> None:
    bench.apply(1)
    bench.park(4)
    assert bench.applier.give_up_missing(bench.events[3], Deadline.after(5))
    assert not bench.applier.give_up_missing(bench.events[3], Deadline.after(5))
    assert bench.ready() == [4]
    assert bench.apply(4).verdict is Verdict.APPLY
    assert bench.apply(3).verdict is Verdict.LATE
    assert bench.apply(3).verdict is Verdict.DUPLICATE
    assert bench.effects == [1, 4, 3]


def test_an_event_given_up_lets_its_successors_go_on(bench: Bench) -> None:
    bench.park(2)
    assert bench.applier.give_up(bench.events[0], "attempts", Deadline.after(5))
    assert bench.ready() == [2]
    assert bench.apply(2).verdict is Verdict.APPLY
    assert bench.apply(1).verdict is Verdict.LATE
    assert bench.effects == [2, 1]


def test_a_handler_that_fails_leaves_neither_effect_nor_position(bench: Bench) -> None:
    def fails(event: Event, session: Any) -> None:
        bench._effects.insert_one({"note": bench.note, "number": 1}, session=session)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        bench.applier.apply(bench.events[0], fails, Deadline.after(5))
    assert bench.effects == []
    assert bench.apply(1).verdict is Verdict.APPLY


def test_an_event_parked_while_the_last_other_is_forgotten_is_still_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two instances: one has put number 2 back and forgets it, the other parks number 3 just then."""
    assert bench.park(2)
    mark, meanwhile = Positions.mark, [3]

    def mark_late(positions: Positions, key: str, parked: bool, session: Any) -> None:
        if not parked and meanwhile:
            assert bench.park(meanwhile.pop())
        mark(positions, key, parked, session)

    monkeypatch.setattr(Positions, "mark", mark_late)
    bench.forget(2)
    assert bench.key in bench.parking.waited_for("echo", Deadline.after(5))
    assert bench.apply(1) == (Verdict.APPLY, True)
