"""What happened: who was given what, what was taken away, and what was seen. Pure; the judge reads it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Facet = Literal["case", "content", "timeline"]
"""What of a case a principal can be given: to know of it, to read it, to read its entries."""


class Pair(NamedTuple):
    """Somebody, and a case."""

    principal: str
    case_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Facets given (`gives`) or taken away, between the request's beginning and its answer.

    A giving counts from its beginning: it may have taken effect. A taking counts from its answer, and only if
    it was acknowledged.
    """

    pair: Pair
    gives: bool
    facets: frozenset[Facet]
    began: float
    ended: float
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """Data that came. `began`: when the read, or at the latest the push, began. `made`: when what was seen
    was written, if that is known."""

    pair: Pair
    channel: str
    facet: Facet
    began: float
    ended: float
    made: float | None = None


class Asked(NamedTuple):
    """A read that was answered without data of the case."""

    pair: Pair
    channel: str
    facet: Facet
    began: float
    ended: float


@dataclass
class History:
    """Filled by many threads."""

    turns: list[Turn] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    refused: list[Asked] = field(default_factory=list)
    operations: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    slowest_name: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, turn: Turn) -> None:
        with self._lock:
            self.turns.append(turn)

    def saw(self, sighting: Sighting) -> None:
        with self._lock:
            self.sightings.append(sighting)

    def saw_nothing(self, asked: Asked) -> None:
        with self._lock:
            self.refused.append(asked)

    def count(self, channel: str, status: int, seconds: float) -> None:
        with self._lock:
            self.operations += 1
            name = f"{channel} {status}"
            self.answers[name] = self.answers.get(name, 0) + 1
            if seconds > self.slowest:
                self.slowest, self.slowest_name = seconds, name
