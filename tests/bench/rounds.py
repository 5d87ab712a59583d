"""Alternating rounds: each contender takes each turn once a round, so that all see the same weather."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.processes import Contender, Score
from tests.bench.turns import Turn


@dataclass
class Scores:
    """Every score by (contender, outstanding), in the order of the rounds."""

    of: dict[tuple[str, int], list[Score]] = field(default_factory=dict)

    def add(self, name: str, turn: Turn, score: Score) -> None:
        self.of.setdefault((name, turn.outstanding), []).append(score)

    def median(self, name: str, outstanding: int, measure: Callable[[Score], float]) -> float:
        return median(measure(score) for score in self.of[name, outstanding])

    def ratio(self, name: str, to: str, outstanding: int, measure: Callable[[Score], float]) -> float:
        """The median of the ratios within a round: a slow minute slows both."""
        pairs = zip(self.of[name, outstanding], self.of[to, outstanding], strict=True)
        return median(measure(one) / measure(other) for one, other in pairs)

    def failed(self) -> int:
        return sum(score.played.failed for scores in self.of.values() for score in scores)


def alternate(contenders: Sequence[Contender], turns: Sequence[Turn], rounds: int) -> Scores:
    """Play a short round that does not count, then `rounds`, every second one in the opposite order."""
    for contender in contenders:
        for turn in turns:
            contender.take(Turn(turn.outstanding, min(0.3, turn.seconds)))
    scores = Scores()
    for number in range(rounds):
        for turn in turns:
            for contender in contenders[:: -1 if number % 2 else 1]:
                scores.add(contender.name, turn, contender.take(turn))
    return scores
