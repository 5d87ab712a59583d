"""One aggregate after the other within, side by side without."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import amqp
import eventlet
import pytest

from services.chassis import lanes
from services.chassis.deliveries import Delivery
from services.chassis.lanes import Lanes
from services.chassis.retries import Trail
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event


def delivery(note: str, number: int) -> Delivery:
    now = datetime.now(UTC)
    event = Event.of("echo", NOTE_CHANGED, f"notes/{note}", number, NoteChanged(note_id=note), now=now)
    return Delivery(amqp.Message(), event, Trail(0))


def until(condition: Callable[[], bool]) -> None:
    with eventlet.Timeout(5):
        while not condition():
            eventlet.sleep(0.001)


class Recorder:
    """Takes its time over each, and notes who was at work together."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.at_work: set[str] = set()
        self.most_at_work = 0

    def __call__(self, delivery: Delivery) -> float | None:
        aggregate = delivery.event.subject
        assert aggregate not in self.at_work
        self.at_work.add(aggregate)
        self.most_at_work = max(self.most_at_work, len(self.at_work))
        eventlet.sleep(0.002)
        self.at_work.discard(aggregate)
        self.done.append((aggregate, delivery.event.number))
        return None


def test_one_aggregate_is_served_in_the_order_of_its_numbers_whatever_the_arrival() -> None:
    recorder = Recorder()
    line = Lanes(recorder)
    for number in (4, 2, 3, 1):
        line.add(delivery("a", number))
    until(lambda: line.idle)
    assert [number for _, number in recorder.done] == [1, 2, 3, 4]


def test_different_aggregates_are_served_side_by_side() -> None:
    recorder = Recorder()
    line = Lanes(recorder)
    for number in (1, 2):
        for note in "abcdefgh":
            line.add(delivery(note, number))
    until(lambda: line.idle)
    assert recorder.most_at_work == 8
    assert all(
        recorder.done.index((f"notes/{n}", 1)) < recorder.done.index((f"notes/{n}", 2)) for n in "abcdefgh"
    )


def test_one_that_waits_goes_on_as_soon_as_what_it_waits_for_arrives() -> None:
    applied: list[int] = []

    def settle(delivery: Delivery) -> float | None:
        if delivery.event.number != len(applied) + 1:
            return 60.0
        applied.append(delivery.event.number)
        return None

    line = Lanes(settle)
    line.add(delivery("a", 2))
    eventlet.sleep(0.01)
    assert applied == []
    line.add(delivery("a", 1))
    until(lambda: line.idle)
    assert applied == [1, 2]


def test_one_arriving_while_another_is_served_is_not_missed() -> None:
    served: list[int] = []
    line = Lanes(lambda one: served.append(one.event.number))
    line.add(delivery("a", 1))
    until(lambda: line.idle)
    line.add(delivery("a", 2))
    until(lambda: line.idle)
    assert served == [1, 2]


def test_an_error_in_settling_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def settle(delivery: Delivery) -> float | None:
        tries.append(delivery.event.number)
        if len(tries) == 1:
            raise RuntimeError
        return None

    monkeypatch.setattr(lanes, "AFTER_ERROR", 0.01)
    line = Lanes(settle)
    line.add(delivery("a", 1))
    until(lambda: line.idle)
    assert tries == [1, 1]
