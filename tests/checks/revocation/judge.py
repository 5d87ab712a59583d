"""Which sightings should not have been.

One is a violation if the read began after an acknowledged narrowing of its facet, and no later giving of the
same had begun by the time it ended; or if what was seen was written after such a narrowing of the list,
whenever the read began. A share, an account, a role and so on (`Turn.key`) are judged each by itself: all of
them have to be there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from tests.checks.revocation.history import EVERY, IN_THE_LIST, Facet, History, Pair, Sighting, Turn


class Violation(NamedTuple):
    """What was seen, and the narrowing that forbade it."""

    sighting: Sighting
    narrowing: Turn

    def text(self) -> str:
        seen = self.sighting
        after = f"began {(seen.began - self.narrowing.ended) * 1000:.0f} ms after a narrowing"
        if seen.made is not None and seen.began < self.narrowing.ended:
            after = f"saw what was written {(seen.made - self.narrowing.ended) * 1000:.0f} ms after one"
        kind = self.narrowing.kind
        return f"{seen.channel}: {seen.facet}, {seen.ended - seen.began:.3f} s, {after} ({kind})"


def violations(history: History) -> list[Violation]:
    """One for each narrowing that forbade a sighting."""
    keys = _Keys(history)
    found = []
    for sighting in list(history.sightings):
        forbidding = keys.forbid(sighting.pair, sighting.facet, sighting.began, sighting.ended, sighting.made)
        found += [Violation(sighting, narrowing) for narrowing in forbidding]
    return found


def violations_so_far(history: History) -> list[Violation]:
    """Those that stand whatever is written down later: a giving whose answer is not there yet may excuse what
    was seen since it began."""
    until = history.complete_until()
    return [one for one in violations(history) if one.sighting.ended < until]


def shut_out(history: History) -> tuple[Counter[str], Counter[str]]:
    """By channel, and by the kind of the narrowing, the reads in which any data would have been a violation:
    so often the check looked."""
    keys = _Keys(history)
    channels, kinds = Counter[str](), Counter[str]()
    for asked in list(history.refused):
        forbidding = keys.forbid(asked.pair, asked.facet, asked.began, asked.ended)
        by_kind = {narrowing.kind for narrowing in forbidding}
        channels[asked.channel] += bool(by_kind)
        kinds.update(by_kind)
    return channels, kinds


def narrowed(history: History) -> Counter[str]:
    """By kind, the narrowings that were acknowledged; one of many principals or cases counts once."""
    found = {(turn.kind, turn.began) for turn in history.turns if turn.acknowledged and not turn.gives}
    return Counter(kind for kind, _ in found)


class _Share:
    """What was given to one principal, and what was taken away: one key to one facet of one case."""

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


class _Keys:
    """What each needs for what."""

    def __init__(self, history: History) -> None:
        self._found: dict[tuple[Pair, Facet], dict[str, _Share]] = defaultdict(lambda: defaultdict(_Share))
        for turn in list(history.turns):
            for facet in turn.facets:
                self._found[turn.pair, facet][turn.key].add(turn)
        for by_key in self._found.values():
            for share in by_key.values():
                share.close()

    def forbid(
        self, pair: Pair, facet: Facet, began: float, ended: float, made: float | None = None
    ) -> Iterator[Turn]:
        """The latest narrowing of each key that is missing."""
        for one in (pair, Pair(pair.principal, EVERY)):
            for key, share in self._found.get((one, facet), {}).items():
                from_when = max(began, made or began) if key in IN_THE_LIST else began
                narrowing = share.forbids(from_when, ended)
                if narrowing is not None:
                    yield narrowing
