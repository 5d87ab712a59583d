"""The classifier sees a difference that is there, and none that is not."""

from __future__ import annotations

import random

import pytest

from tests.checks.matrix.timing import FULL, auc, limit


def test_equal_samples_are_blind() -> None:
    assert auc([1, 2, 3], [1, 2, 3]) == pytest.approx(0.5)


def test_separate_samples_are_told_apart_from_either_side() -> None:
    assert auc([1, 2], [3, 4]) == auc([3, 4], [1, 2]) == 1.0


def test_a_small_shift_shows() -> None:
    chance = random.Random(5)
    one = [chance.gauss(1.0, 0.1) for _ in range(4000)]
    other = [chance.gauss(1.02, 0.1) for _ in range(4000)]
    assert auc(one, other) > 0.54


def test_fewer_pairs_are_judged_by_the_same_number_of_standard_errors() -> None:
    assert limit(FULL) == pytest.approx(0.52)
    assert (limit(FULL // 4) - 0.5) == pytest.approx(2 * (limit(FULL) - 0.5))
