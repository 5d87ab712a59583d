"""Looking after parked events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.parking import Parked
from services.chassis.retries import Trail
from services.chassis.sweeping import SWEEP_SECONDS, Sweeper
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event
from services.contracts.errors import Unavailable

KEY = "echo/notes/1"


def parked(number: int) -> Parked:
    event = Event.of("echo", NOTE_CHANGED, "notes/1", number, NoteChanged(note_id="1"), now=datetime.now(UTC))
    return Parked(event.id, number, event.to_json(), Trail(1))


class Bench:
    """A sweeper over one aggregate's parked events, with looks instead of time."""

    def __init__(self, *waiting: Parked, gap_seconds: float = 5 * SWEEP_SECONDS) -> None:
        self.waiting, self.away = list(waiting), False
        self.put_back, self.given_up = 0, list[int]()
        self.sweeper = Sweeper("echo", self, self, self._put_back, gap_seconds)  # type: ignore[arg-type]

    def waited_for(self, source: str, deadline: Any) -> list[str]:
        if self.away:
            raise Unavailable
        return [KEY] if self.waiting else []

    def first(self, key: str, deadline: Any) -> Parked | None:
        return self.waiting[0] if self.waiting else None

    def give_up_missing(self, event: Event, deadline: Any) -> bool:
        self.given_up.append(event.number)
        return True

    def _put_back(self, key: str, deadline: Any) -> None:
        self.put_back += 1


def test_where_nothing_waits_nothing_is_done() -> None:
    bench = Bench()
    bench.sweeper.sweep()
    assert bench.put_back == 0


def test_what_was_left_behind_by_a_crash_is_put_back_on_the_second_look() -> None:
    bench = Bench(parked(4))
    bench.sweeper.sweep()
    assert bench.put_back == 0
    bench.sweeper.sweep()
    assert bench.put_back == 1
    assert bench.given_up == []


def test_a_gap_is_given_up_after_the_set_time() -> None:
    bench = Bench(parked(4))
    for _ in range(5):
        bench.sweeper.sweep()
    assert bench.given_up == []
    bench.sweeper.sweep()
    assert bench.given_up == [4]


def test_another_gap_of_the_aggregate_has_its_own_time() -> None:
    bench = Bench(parked(4))
    for _ in range(5):
        bench.sweeper.sweep()
    bench.waiting = [parked(9)]
    for _ in range(5):
        bench.sweeper.sweep()
    assert bench.given_up == []


def test_time_without_a_database_does_not_count() -> None:
    bench = Bench(parked(4))
    bench.sweeper.sweep()
    bench.away = True
    for _ in range(20):
        with pytest.raises(Unavailable):
            bench.sweeper.sweep()
    bench.away = False
    bench.sweeper.sweep()
    assert bench.given_up == []
