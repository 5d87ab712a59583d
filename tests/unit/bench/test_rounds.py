"""Ratios are taken within a round, so that a slow minute slows both sides."""

from __future__ import annotations

import pytest

from tests.bench.processes import Score
from tests.bench.rounds import Scores
from tests.bench.turns import Played, Turn, played, quantile

TURN = Turn(20, 1.0)


def score(calls: int, cpu: float = 1.0) -> Score:
    return Score(Played(calls, 1.0, 0.001, 0.002), cpu)


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    scores = Scores()
    for ours, theirs in ((50, 100), (80, 100), (30, 40)):
        scores.add("ours", TURN, score(ours))
        scores.add("theirs", TURN, score(theirs))
    assert scores.ratio("ours", "theirs", 20, lambda one: one.rate) == pytest.approx(0.75)


def test_cpu_is_counted_for_each_call() -> None:
    assert score(500, cpu=0.25).cpu_per_call == pytest.approx(0.0005)


def test_the_latencies_of_a_turn_give_its_quantiles() -> None:
    done = played([number / 1000 for number in range(100, 0, -1)], 2.0)
    assert (done.calls, done.p50, done.p99) == (100, 0.051, 0.1)


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile([], 0.5) == 0
