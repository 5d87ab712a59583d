"""Taking events out of the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.confirms import Outcome, Ticket
from services.chassis.outbox import Waiting
from services.chassis.relay import ACTIVE, BACK_OFF_MOST, IDLE, Relay

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def event(record: str, number: int) -> Waiting:
    return Waiting(record, f"{record}/{number}", "notes/1", number, "note.changed", b"{}", NOW)


class FakeOutbox:
    def __init__(self, *waiting: Waiting) -> None:
        self.rows = list(waiting)
        self.sent: list[str] = []

    def waiting(self, limit: int) -> list[Waiting]:
        return [row for row in self.rows if row.record not in self.sent][:limit]

    def mark_sent(self, records: Iterable[str]) -> None:
        self.sent += sorted(records)


class FakeLease:
    retry_after = 1.0

    def __init__(self) -> None:
        self.held, self.due, self.free = False, True, True

    def take(self) -> bool:
        self.held, self.due = self.free, not self.free
        return self.held


class FakeConfirms:
    """`answers` gives the outcome of each message by its id; confirmed unless named."""

    def __init__(self, lease: FakeLease, **answers: Outcome) -> None:
        self.usable, self.answers, self.published, self._lease = True, answers, list[str](), lease
        self.mandatory: list[bool] = []
        self.loses_lease_after: int | None = None
        self.waited = 0

    def publish(
        self, exchange: str, key: str, body: bytes, properties: dict[str, Any], *, mandatory: bool
    ) -> Ticket:
        self.published.append(properties["message_id"])
        self.mandatory.append(mandatory)
        if len(self.published) == self.loses_lease_after:
            self._lease.held = False
        return Ticket(properties["message_id"])

    def wait(self, tickets: Iterable[Ticket], seconds: float) -> bool:
        self.waited += 1
        for ticket in tickets:
            ticket.outcome = self.answers.get(ticket.message_id.replace("/", "_"), Outcome.CONFIRMED)
        return True


class Bench:
    """A relay between fakes, with a clock that stands still unless told."""

    def __init__(self, *waiting: Waiting, **options: Any) -> None:
        self.now = 100.0
        self.outbox, self.lease = FakeOutbox(*waiting), FakeLease()
        self.confirms = FakeConfirms(self.lease)
        self.relay = Relay(
            self.outbox,  # type: ignore[arg-type]
            self.lease,  # type: ignore[arg-type]
            self.confirms,  # type: ignore[arg-type]
            "echo.events",
            clock=lambda: self.now,
            **options,
        )


def test_waiting_events_are_published_mandatory_and_recorded_once_confirmed() -> None:
    bench = Bench(event("a", 1), event("b", 2))
    assert bench.relay.turn() == ACTIVE
    assert bench.confirms.published == ["a/1", "b/2"]
    assert bench.confirms.mandatory == [True, True]
    assert bench.outbox.sent == ["a", "b"]
    assert bench.relay.turn() == ACTIVE
    bench.now += 60
    assert bench.relay.turn() == IDLE
    assert bench.confirms.published == ["a/1", "b/2"]


def test_without_the_lease_nothing_is_published() -> None:
    bench = Bench(event("a", 1))
    bench.lease.free = False
    assert bench.relay.turn() == bench.lease.retry_after
    assert bench.confirms.published == []


@pytest.mark.parametrize("outcome", [Outcome.RETURNED, Outcome.REFUSED, Outcome.LOST])
def test_what_was_not_confirmed_stays_and_backs_off(outcome: Outcome) -> None:
    bench = Bench(event("a", 1), event("b", 1))
    bench.confirms.answers = {"a_1": outcome}
    pauses = [bench.relay.turn() for _ in range(8)]
    assert bench.outbox.sent == ["b"]
    assert pauses == sorted(pauses)
    assert pauses[-1] == BACK_OFF_MOST
    bench.confirms.answers = {}
    assert bench.relay.turn() == ACTIVE
    assert bench.outbox.sent == ["b", "a"]


def test_a_record_is_done_when_all_its_events_are() -> None:
    bench = Bench(event("a", 1), event("a", 2))
    bench.confirms.answers = {"a_2": Outcome.REFUSED}
    bench.relay.turn()
    assert bench.outbox.sent == []


def test_a_relay_that_loses_its_lease_stops_within_the_batch() -> None:
    bench = Bench(event("a", 1), event("b", 2), event("c", 3))
    bench.confirms.loses_lease_after = 2
    assert bench.relay.turn() > 0
    assert bench.confirms.published == ["a/1", "b/2"]
    assert bench.outbox.sent == ["a", "b"]


def test_without_the_broker_nothing_is_read() -> None:
    bench = Bench(event("a", 1))
    bench.confirms.usable = False
    assert bench.relay.turn() == IDLE
    assert bench.confirms.published == []


def test_with_confirms_switched_off_events_are_recorded_unseen() -> None:
    bench = Bench(event("a", 1), confirm=False)
    bench.confirms.answers = {"a_1": Outcome.LOST}
    bench.relay.turn()
    assert bench.confirms.waited == 0
    assert bench.outbox.sent == ["a"]


def test_an_event_that_nobody_subscribes_to_need_not_be_routed() -> None:
    bench = Bench(event("a", 1), mandatory=False)
    bench.relay.turn()
    assert bench.confirms.mandatory == [False]


def test_a_relay_that_is_told_to_finish_relays_once_more_and_ends() -> None:
    bench = Bench(event("a", 1))
    bench.relay.finish()
    bench.relay.run()
    assert bench.outbox.sent == ["a"]
