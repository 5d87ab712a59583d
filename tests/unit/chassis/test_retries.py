"""When an event is tried again, and when no more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.retries import (
    MOST_ATTEMPTS,
    TIERS_MS,
    Trail,
    jittered,
    tier_after_failure,
)

NOW = 1_800_000_000.0


def test_the_tiers_grow_exponentially_and_then_stay() -> None:
    assert [tier_after_failure(attempt) for attempt in range(1, 8)] == [
        250,
        1000,
        4000,
        16000,
        60000,
        60000,
        60000,
    ]


def test_attempts_are_bounded_and_take_minutes() -> None:
    trail, waited = Trail(0), 0
    while not (trail := trail.failed()).exhausted:
        waited += tier_after_failure(trail.attempts)
    assert trail.attempts == MOST_ATTEMPTS
    assert 120_000 < waited < 300_000


@given(st.sampled_from(TIERS_MS), st.floats(0, 1))
def test_jitter_never_outlasts_the_tier(tier: int, chance: float) -> None:
    assert tier / 2 - 1 <= jittered(tier, chance) <= tier


def test_what_fails_together_does_not_return_together() -> None:
    assert len({jittered(60_000) for _ in range(50)}) > 40


def test_a_trail_survives_the_trip_through_the_headers() -> None:
    trail = Trail(int(NOW * 1000) - 5000).failed()
    assert Trail.read(trail.headers(), NOW) == trail


@pytest.mark.parametrize(
    "headers",
    [
        None,
        "text",
        [],
        {},
        {"x-attempts": "3"},
        {"x-attempts": -1},
        {"x-attempts": 10**9},
        {"x-attempts": True},
        {"x-attempts": None, "x-first-at": []},
        {"x-first-at": 10**30},
        {"x-first-at": -5},
    ],
)
def test_headers_that_make_no_sense_count_as_absent(headers: Any) -> None:
    assert Trail.read(headers, NOW) == Trail(first_at_ms=int(NOW * 1000))
