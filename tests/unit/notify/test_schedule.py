"""When failed pushes are made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.schedule import JITTER, Schedule

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
NO_JITTER = 0.5


def test_waits_grow_up_to_the_longest() -> None:
    waits = [Schedule().wait(n, NO_JITTER) for n in range(1, 11)]
    assert waits == pytest.approx([5, 15, 45, 135, 405, 1215, 3645, 10935, 28800, 28800])


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_its_share(failures: int, chance: float) -> None:
    steady = Schedule().wait(failures, NO_JITTER)
    assert abs(Schedule().wait(failures, chance) - steady) <= steady * JITTER * 1.000001


def test_retries_end_within_72_hours_and_not_much_earlier() -> None:
    now, failures = BEGAN, 0
    while (due := Schedule().next_at(failures + 1, BEGAN, now, NO_JITTER)) is not None:
        now, failures = due, failures + 1
    assert timedelta(hours=60) < now - BEGAN <= timedelta(hours=72)
    assert failures < 20
