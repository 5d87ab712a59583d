"""What becomes of a delivery: acknowledged last, and only when its event is safe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import amqp
import pytest
from pydantic import ValidationError

from services.chassis import settling
from services.chassis.applying import Result
from services.chassis.confirms import Outcome, Ticket
from services.chassis.deliveries import Delivery, Poison, open_delivery
from services.chassis.ordering import Verdict
from services.chassis.parking import Parked
from services.chassis.retries import MOST_ATTEMPTS, Trail
from services.chassis.settling import Settling
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import MEDIA_TYPE, Event
from services.contracts.errors import LinkDown, Unavailable

EVENT = Event.of("echo", NOTE_CHANGED, "notes/1", 3, NoteChanged(note_id="1"), now=datetime.now(UTC))


class FakeApplier:
    """`verdict` is what it says, or raises."""

    def __init__(self) -> None:
        self.verdict: Verdict | Exception = Verdict.APPLY
        self.awaited, self.given_up = False, list[str]()

    def apply(self, event: Event, handle: Any, deadline: Any) -> Result:
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return Result(self.verdict, self.awaited)

    def look(self, event: Event, deadline: Any) -> Verdict:
        return self.apply(event, None, deadline).verdict

    def give_up(self, event: Event, reason: str, deadline: Any) -> bool:
        self.given_up.append(reason)
        return self.awaited


class FakeConfirms:
    """Confirms everything unless told."""

    def __init__(self) -> None:
        self.outcome: Outcome | Exception = Outcome.CONFIRMED
        self.published: list[tuple[str, str, dict[str, Any]]] = []

    def publish(self, exchange: str, key: str, body: bytes, properties: dict[str, Any]) -> Ticket:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        self.published.append((exchange, key, properties))
        return Ticket("id")

    def wait(self, tickets: Iterable[Ticket], seconds: float) -> bool:
        for ticket in tickets:
            ticket.outcome = self.outcome if isinstance(self.outcome, Outcome) else None
        return self.outcome is Outcome.CONFIRMED


class FakeParking:
    """Takes what is given unless told."""

    def __init__(self) -> None:
        self.takes, self.parked = True, list[str]()
        self.ready_: list[Parked] = []
        self.forgotten: list[str] = []

    def park(self, event: Event, trail: Trail, deadline: Any) -> bool:
        self.parked += [event.id] if self.takes else []
        return self.takes

    def ready(self, key: str, deadline: Any) -> list[Parked]:
        assert key == "echo/notes/1"
        return self.ready_

    def forget(self, key: str, ids: Iterable[str], deadline: Any) -> None:
        self.forgotten += ids


class Bench:
    def __init__(self) -> None:
        self.applier, self.confirms, self.acked = FakeApplier(), FakeConfirms(), list[amqp.Message]()
        self.parking = FakeParking()
        self.settling = Settling(
            "mirror",
            "echo",
            applier=self.applier,  # type: ignore[arg-type]
            parking=self.parking,  # type: ignore[arg-type]
            handler_of=lambda event_type: lambda event, session: None,
            confirms=self.confirms,  # type: ignore[arg-type]
            acknowledge=self.acked.append,
            seconds=4.0,
        )

    def settle(self, delivery: Delivery) -> float | None:
        return self.settling.settle(delivery)

    @property
    def headers(self) -> dict[str, Any]:
        """Of the one message published."""
        ((_, _, properties),) = self.confirms.published
        found: dict[str, Any] = properties["application_headers"]
        return found

    @property
    def sent_to(self) -> str:
        ((_, key, _),) = self.confirms.published
        return key


def delivery(**headers: Any) -> Delivery:
    return open_delivery(
        amqp.Message(EVENT.to_json(), content_type=MEDIA_TYPE, application_headers=headers), "echo"
    )


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        NoteChanged.model_validate({})
    return caught.value


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass, for what measures how long a delivery was held."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


@pytest.mark.parametrize("verdict", [Verdict.APPLY, Verdict.DUPLICATE, Verdict.LATE])
def test_what_is_stored_is_acknowledged(verdict: Verdict) -> None:
    bench = Bench()
    bench.applier.verdict = verdict
    assert bench.settle(delivery()) is None
    assert len(bench.acked) == 1
    assert bench.confirms.published == []


def test_an_early_one_is_held_a_moment_then_parked(clock: Callable[[float], None]) -> None:
    bench, early = Bench(), delivery()
    bench.applier.verdict = Verdict.EARLY
    assert 0 < (bench.settle(early) or 0) <= settling.LOOK_MOST
    assert bench.acked == bench.parking.parked == []
    clock(settling.HOLD_EARLY)
    assert bench.settle(early) is None
    assert bench.parking.parked == [EVENT.id]
    assert len(bench.acked) == 1
    assert bench.confirms.published == []


def test_one_that_waited_behind_others_is_still_looked_at_for_a_moment(
    clock: Callable[[float], None],
) -> None:
    bench, early = Bench(), delivery()
    clock(settling.HOLD_EARLY)
    bench.applier.verdict = Verdict.EARLY
    assert bench.settle(early)
    clock(settling.GRACE)
    assert bench.settle(early) is None
    assert bench.parking.parked == [EVENT.id]


def test_one_that_is_early_no_more_when_it_should_be_parked_is_applied(
    clock: Callable[[float], None],
) -> None:
    bench, early = Bench(), delivery()
    bench.applier.verdict, bench.parking.takes = Verdict.EARLY, False
    bench.settle(early)
    clock(settling.HOLD_EARLY)
    assert bench.settle(early) == 0.0
    assert bench.acked == []
    bench.applier.verdict = Verdict.APPLY
    assert bench.settle(early) is None
    assert len(bench.acked) == 1


def test_what_waited_for_an_event_is_put_back_in_order_once_it_is_applied() -> None:
    bench = Bench()
    bench.applier.awaited = True
    bench.parking.ready_ = [Parked("b", 4, b"4", Trail(1, 2)), Parked("c", 5, b"5", Trail(1))]
    assert bench.settle(delivery()) is None
    assert [(key, p["message_id"]) for _, key, p in bench.confirms.published] == [
        ("evt-echo--mirror", "b"),
        ("evt-echo--mirror", "c"),
    ]
    assert bench.confirms.published[0][2]["application_headers"]["x-attempts"] == 2
    assert "expiration" not in bench.confirms.published[0][2]
    assert bench.parking.forgotten == ["b", "c"]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, LinkDown(), RuntimeError("bug")])
def test_what_cannot_be_put_back_stays_parked_and_does_no_harm(outcome: Outcome | Exception) -> None:
    bench = Bench()
    bench.applier.awaited, bench.confirms.outcome = True, outcome
    bench.parking.ready_ = [Parked("b", 4, b"4", Trail(1))]
    assert bench.settle(delivery()) is None
    assert bench.parking.forgotten == []
    assert len(bench.acked) == 1


def test_a_failed_one_is_put_off_longer_each_time() -> None:
    keys = []
    for attempts in range(MOST_ATTEMPTS - 1):
        bench = Bench()
        bench.applier.verdict = RuntimeError("no")
        assert bench.settle(delivery(**{"x-attempts": attempts})) is None
        assert bench.headers["x-attempts"] == attempts + 1
        assert len(bench.acked) == 1
        keys.append(bench.sent_to.rpartition("-")[2])
    assert keys == ["250", "1000", "4000", "16000", "60000", "60000", "60000"]


def test_the_last_failure_goes_to_the_dead_letters_and_lets_successors_go_on() -> None:
    bench = Bench()
    bench.applier.verdict = RuntimeError("no")
    assert bench.settle(delivery(**{"x-attempts": MOST_ATTEMPTS - 1})) is None
    assert bench.sent_to == "dead-mirror"
    assert bench.headers["x-reason"] == "attempts"
    assert bench.headers["x-queue"] == "evt-echo--mirror"
    assert bench.applier.given_up == ["attempts"]
    assert len(bench.acked) == 1


def test_data_that_is_not_what_its_type_promises_is_dead_at_once() -> None:
    bench = Bench()
    bench.applier.verdict = invalid()
    assert bench.settle(delivery()) is None
    assert bench.sent_to == "dead-mirror"
    assert bench.applier.given_up == ["invalid_data"]


def test_a_second_event_under_a_number_is_dead_and_skips_nothing() -> None:
    bench = Bench()
    bench.applier.verdict = Verdict.CONFLICT
    assert bench.settle(delivery()) is None
    assert bench.headers["x-reason"] == "conflict"
    assert bench.applier.given_up == []


def test_while_a_part_is_away_the_event_waits_and_no_attempt_is_burnt(clock: Callable[[float], None]) -> None:
    bench, held = Bench(), delivery(**{"x-attempts": MOST_ATTEMPTS - 1})
    bench.applier.verdict = Unavailable()
    pauses = [bench.settle(held) or 0 for _ in range(6)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= settling.STALL_MOST
    assert bench.acked == []
    clock(settling.HOLD_AWAY)
    assert bench.settle(held) is None
    assert bench.headers["x-attempts"] == MOST_ATTEMPTS - 1


@pytest.mark.parametrize("outcome", [Outcome.RETURNED, Outcome.REFUSED, Outcome.LOST, LinkDown()])
def test_an_original_is_kept_while_its_copy_is_not_safe(outcome: Outcome | Exception) -> None:
    bench, failing = Bench(), delivery()
    bench.applier.verdict, bench.confirms.outcome = RuntimeError("no"), outcome
    assert bench.settle(failing) == settling.STALL_MOST
    assert bench.acked == []
    poison = amqp.Message(b"secret")
    assert not bench.settling.put_aside_poison(poison, Poison("not_an_event"))
    assert bench.acked == []


def test_a_dead_letter_is_copied_once_although_the_database_went_away() -> None:
    bench, failing = Bench(), delivery(**{"x-attempts": MOST_ATTEMPTS - 1})
    bench.applier.verdict = RuntimeError("no")

    def away(event: Event, reason: str, deadline: Any) -> bool:
        raise Unavailable

    bench.applier.give_up, give_up = away, bench.applier.give_up  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        bench.settle(failing)
    assert bench.acked == []
    bench.applier.give_up = give_up  # type: ignore[method-assign]
    assert bench.settle(failing) is None
    assert bench.sent_to == "dead-mirror"
    assert bench.applier.given_up == ["attempts"]
    assert len(bench.acked) == 1


def test_poison_goes_to_the_dead_letters_at_once() -> None:
    bench = Bench()
    assert bench.settling.put_aside_poison(amqp.Message(b"\xff", content_type="a/b"), Poison("content_type"))
    assert bench.sent_to == "dead-mirror"
    assert bench.headers["x-reason"] == "content_type"
    assert len(bench.acked) == 1
