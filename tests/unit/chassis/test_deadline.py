"""Until when somebody waits."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import deadline as module
from services.chassis.deadline import HOP_MARGIN, Deadline
from services.contracts.errors import DeadlineExpired

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: NOW))


def test_what_is_left_is_counted_from_now() -> None:
    assert Deadline.after(4).left() == 4
    assert Deadline(NOW - 1).left() == -1


def test_a_deadline_has_expired_at_its_instant_and_not_before() -> None:
    assert not Deadline(NOW + 0.001).expired
    assert Deadline(NOW).expired


def test_checking_raises_only_when_nobody_waits() -> None:
    Deadline.after(0.001).check()
    with pytest.raises(DeadlineExpired):
        Deadline.after(0).check()


def test_each_hop_keeps_a_little_time_to_answer_in() -> None:
    assert Deadline.after(4).shrunk().left() == pytest.approx(4 - HOP_MARGIN)
    assert Deadline.after(4).shrunk(1).left() == 3


@given(st.floats(-1e6, 1e9), st.floats(0, 1e6))
def test_a_bound_never_makes_a_deadline_later(left: float, seconds: float) -> None:
    bounded = Deadline(NOW + left).within(seconds)
    assert bounded.at == min(NOW + left, NOW + seconds)


@given(st.integers(0, 2**53))
def test_a_deadline_survives_the_trip_to_the_millisecond(millis: int) -> None:
    """Replies are matched by it."""
    assert abs(Deadline.from_millis(millis).millis - millis) <= 1


def test_the_same_deadline_always_travels_as_the_same_number() -> None:
    deadline = Deadline(time.time() + 1 / 3)
    assert {deadline.millis for _ in range(10)} == {int(deadline.at * 1000)}
