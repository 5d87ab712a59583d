"""Which sightings should not have been.

One is a violation if the read began after an acknowledged narrowing of its facet, and no later giving had
begun by the time it ended; or if what was seen was written after such a narrowing, whenever the read began.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.checks.revocation.history import Facet, History, Pair, Sighting, Turn


class Violation(NamedTuple):
    """What was seen, and the narrowing that forbade it."""

    sighting: Sighting
    narrowing: Turn

    def text(self) -> str:
        late = self.sighting.began - self.narrowing.ended
        return f"{self.sighting.channel}: {self.sighting.facet} seen {late * 1000:.0f} ms after a narrowing"


def violations(history: History) -> list[Violation]:
    by_facet: dict[tuple[Pair, Facet], tuple[list[Turn], list[Turn]]] = defaultdict(lambda: ([], []))
    for turn in history.turns:
        for facet in turn.facets:
            taken, given = by_facet[turn.pair, facet]
            if turn.gives:
                given.append(turn)
            elif turn.acknowledged:
                taken.append(turn)
    for taken, given in by_facet.values():
        taken.sort(key=lambda turn: turn.ended)
        given.sort(key=lambda turn: turn.began)
    found = []
    for sighting in history.sightings:
        taken, given = by_facet[sighting.pair, sighting.facet]
        narrowing = _forbids(sighting, taken, given)
        if narrowing is not None:
            found.append(Violation(sighting, narrowing))
    return found


def _forbids(sighting: Sighting, taken: list[Turn], given: list[Turn]) -> Turn | None:
    from_when = max(sighting.began, sighting.made or sighting.began)
    before = bisect_left([turn.ended for turn in taken], from_when)
    if before == 0:
        return None
    narrowing = taken[before - 1]
    return None if _given_since(narrowing, given, sighting.ended) else narrowing


def _given_since(narrowing: Turn, given: Iterable[Turn], until: float) -> bool:
    """A giving that had not been answered when the narrowing began may have come after it, in effect."""
    return any(turn.ended > narrowing.began and turn.began < until for turn in given)
