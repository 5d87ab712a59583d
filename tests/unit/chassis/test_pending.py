"""Calls that wait for their reply: bounded, each answered once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.chassis.pending import ATTEMPT_LEAST, ATTEMPTS, IN_TOTAL, PER_TARGET, Pending, attempt_until
from services.contracts.errors import Busy

NOW = 1_800_000_000.0


def _pending() -> Pending[str]:
    return Pending()


def test_an_answer_finds_who_waits_for_it_once() -> None:
    waiting = _pending()
    attempt = waiting.add("echo", NOW + 4, "waiter")
    assert waiting.take(attempt.id) is attempt
    assert waiting.take(attempt.id) is None
    assert waiting.take("never asked") is None
    assert waiting.take("") is None


def test_every_attempt_has_an_id_of_its_own() -> None:
    waiting = _pending()
    assert len({waiting.add("echo", NOW, "w").id for _ in range(200)}) == 200


def test_one_slow_service_does_not_use_up_the_calls_to_others() -> None:
    waiting = _pending()
    attempts = [waiting.add("echo", NOW, "w") for _ in range(PER_TARGET)]
    with pytest.raises(Busy):
        waiting.add("echo", NOW, "w")
    assert waiting.add("mirror", NOW, "w")
    waiting.take(attempts[0].id)
    assert waiting.add("echo", NOW, "w")


def test_calls_are_bounded_in_total() -> None:
    waiting = _pending()
    for number in range(IN_TOTAL):
        waiting.add(f"service-{number % 8}", NOW, "w")
    with pytest.raises(Busy):
        waiting.add("another", NOW, "w")
    waiting.overdue(NOW)
    assert waiting.add("another", NOW, "w")


def test_only_what_is_overdue_is_taken_out() -> None:
    waiting = _pending()
    early, late = waiting.add("echo", NOW + 1, "early"), waiting.add("echo", NOW + 2, "late")
    assert waiting.overdue(NOW) == []
    assert waiting.overdue(NOW + 1) == [early]
    assert waiting.overdue(NOW + 1) == []
    assert waiting.take(late.id) is late


def test_everything_is_taken_out_when_the_connection_is_lost() -> None:
    waiting = _pending()
    attempts = [waiting.add("echo", NOW, "w") for _ in range(3)]
    assert waiting.all() == attempts
    assert waiting.all() == []
    assert waiting.per_target["echo"] == 0


class _Books(RuleBasedStateMachine):
    """However calls come and go, the counts are those of the calls that wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = _pending()

    @rule(service=st.sampled_from(["echo", "mirror"]), seconds=st.integers(0, 5))
    def add(self, service: str, seconds: int) -> None:
        self.waiting.add(service, NOW + seconds, "w")

    @rule(data=st.data())
    def take(self, data: Any) -> None:
        if self.waiting.attempts:
            self.waiting.take(data.draw(st.sampled_from(sorted(self.waiting.attempts))))

    @rule(seconds=st.integers(-1, 6))
    def sweep(self, seconds: int) -> None:
        self.waiting.overdue(NOW + seconds)

    @rule()
    def lose(self) -> None:
        self.waiting.all()

    @invariant()
    def counts_agree(self) -> None:
        assert +self.waiting.per_target == Counter(
            attempt.target for attempt in self.waiting.attempts.values()
        )


TestBooks = _Books.TestCase
TestBooks.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


@given(st.floats(-10, 200), st.integers(1, 4))
def test_no_attempt_outlasts_the_deadline(left: float, attempt: int) -> None:
    until = attempt_until(NOW + left, attempt, NOW)
    assert until <= NOW + left
    assert attempt < ATTEMPTS or until == NOW + left


@given(st.floats(1, 200))
def test_a_first_attempt_leaves_more_than_half_for_the_second(left: float) -> None:
    until = attempt_until(NOW + left, 1, NOW)
    assert until - NOW + 1e-6 >= ATTEMPT_LEAST
    assert NOW + left - until > left / 2


def test_a_call_with_little_time_has_one_attempt() -> None:
    assert attempt_until(NOW + ATTEMPT_LEAST, 1, NOW) == NOW + ATTEMPT_LEAST
