"""Which sightings should not have been.

One is a violation if the read began after an acknowledged narrowing of its facet, and no later giving had
begun by the time it ended; or if what was seen was written after such a narrowing, whenever the read began.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from typing import NamedTuple

from tests.checks.revocation.history import Facet, History, Pair, Sighting, Turn


class Violation(NamedTuple):
    """What was seen, and the narrowing that forbade it."""

    sighting: Sighting
    narrowing: Turn

    def text(self) -> str:
        seen = self.sighting
        after = f"began {(seen.began - self.narrowing.ended) * 1000:.0f} ms after a narrowing"
        if seen.made is not None and seen.began < self.narrowing.ended:
            after = f"saw what was written {(seen.made - self.narrowing.ended) * 1000:.0f} ms after one"
        return f"{seen.channel}: {seen.facet}, {seen.ended - seen.began:.3f} s, {after}"


def violations(history: History) -> list[Violation]:
    shares = _shares(history)
    found = []
    for sighting in list(history.sightings):
        from_when = max(sighting.began, sighting.made or sighting.began)
        narrowing = shares[sighting.pair, sighting.facet].forbids(from_when, sighting.ended)
        if narrowing is not None:
            found.append(Violation(sighting, narrowing))
    return found


def shut_out(history: History) -> Counter[str]:
    """By channel, the reads in which any data would have been a violation: so often the check looked."""
    shares = _shares(history)
    return Counter(
        asked.channel
        for asked in history.refused
        if shares[asked.pair, asked.facet].forbids(asked.began, asked.ended) is not None
    )


class _Share:
    """What was given to one principal, and what was taken away, of one facet of one case."""

    def __init__(self) -> None:
        self._taken: list[Turn] = []
        self._given: list[Turn] = []

    def add(self, turn: Turn) -> None:
        if turn.gives:
            self._given.append(turn)
        elif turn.acknowledged:
            self._taken.append(turn)

    def close(self) -> None:
        self._taken.sort(key=lambda turn: turn.ended)
        self._given.sort(key=lambda turn: turn.began)
        self._taken_at = [turn.ended for turn in self._taken]
        self._given_at = [turn.began for turn in self._given]
        self._answered_by = list(accumulate((turn.ended for turn in self._given), max))

    def forbids(self, began: float, ended: float) -> Turn | None:
        before = bisect_left(self._taken_at, began)
        if before == 0:
            return None
        narrowing = self._taken[before - 1]
        # A giving that had not been answered when the narrowing began may have come after it, in effect.
        givings = bisect_left(self._given_at, ended)
        again = givings > 0 and self._answered_by[givings - 1] > narrowing.began
        return None if again else narrowing


def _shares(history: History) -> dict[tuple[Pair, Facet], _Share]:
    shares: dict[tuple[Pair, Facet], _Share] = defaultdict(_closed)
    for turn in list(history.turns):
        for facet in turn.facets:
            shares[turn.pair, facet].add(turn)
    for share in shares.values():
        share.close()
    return shares


def _closed() -> _Share:
    share = _Share()
    share.close()
    return share
