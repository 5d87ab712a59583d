"""Can the time of an answer tell a case that one may not know of from one that does not exist?

Interleaved pairs, and the area under the ROC curve of the best classifier by threshold: 0.5 is blind.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Sequence

from tests.checks.wire import Line

FULL = 5_000
"""Pairs at which the area may be 0.52 at most."""


def limit(number: int) -> float:
    """The most that the area may be with so many pairs: as far from blind as 0.52 in full."""
    return round(0.5 + 0.02 * math.sqrt(FULL / number), 3)


def auc(one: Sequence[float], other: Sequence[float]) -> float:
    """P(a of `one` > b of `other`) + half of ties, or its mirror: Mann-Whitney, the worse of both sides."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    rank_sum, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        middle = (place + 1 + end) / 2
        rank_sum += middle * sum(which == 0 for _, which in ranked[place:end])
        place = end
    area = (rank_sum - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))
    return max(area, 1 - area)


def pairs(line: Line, path: str, unseen: str, number: int, seed: int = 11) -> tuple[list[float], list[float]]:
    """Seconds of answers about a case that is not visible and about ones that are not there, by turns.

    `path` has {} for the case's id.
    """
    chance, hidden, absent = random.Random(seed), list[float](), list[float]()
    for _ in range(number):
        both = [(unseen, hidden), (str(uuid.uuid4()), absent)]
        chance.shuffle(both)
        for case_id, into in both:
            answer = line.ask("GET", path.format(case_id), Access_Reason="investigation")
            assert answer.status == 404, f"{path}: {answer.status}"
            into.append(answer.seconds)
    return hidden, absent
