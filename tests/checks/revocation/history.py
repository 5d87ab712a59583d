"""What happened: who was given what, what was taken away, and what was seen. Pure; the judge reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

Facet = Literal["case", "content", "summary", "timeline", "entries", "writing"]
"""What of a case a principal can be given: to know of it, to read it, its summary, to be told of its entries,
to read them, to add to them."""
ALL: frozenset[Facet] = frozenset({"case", "content", "summary", "timeline", "entries", "writing"})

BY_SHARE = frozenset({"revoke", "hand_back", "member", "level", "section", "restore"})
BY_STANDING = frozenset({"account", "role", "device", "client", "protocol", "agency", "procedure"})
KINDS = (*sorted(BY_SHARE), "team", "conflict", "glass", *sorted(BY_STANDING))
"""Every kind of narrowing. `restore`: of a share, after which an older copy of it was put back."""
IN_THE_LIST = frozenset({"share", "conflict"})
"""Keys that are in a case's list, by which what is written after a narrowing is kept even from a read that
runs already. Who asks is looked at once, when it begins."""
_KEYS: Mapping[str, str] = MappingProxyType(dict.fromkeys((*BY_SHARE, "grant"), "share"))
EVERY = "*"


class Pair(NamedTuple):
    """Somebody, and a case; or EVERY one of them."""

    principal: str
    case_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Facets given (`gives`) or taken away, between the request's beginning and its answer.

    A giving counts from its beginning: it may have taken effect. A taking counts from its answer, and only if
    it was acknowledged. `kind`: one of KINDS, or "grant".
    """

    pair: Pair
    gives: bool
    facets: frozenset[Facet]
    began: float
    ended: float
    acknowledged: bool
    kind: str = "grant"

    @property
    def key(self) -> str:
        """What is given or taken: each has to be held, and what is given of one makes up for no other."""
        return _KEYS.get(self.kind, self.kind)


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
    _under_way: dict[object, float] = field(default_factory=dict)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """While something is given or taken, and not written down yet."""
        one = object()
        with self._lock:
            self._under_way[one] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._under_way[one]

    def complete_until(self) -> float:
        """All that was given or taken before this instant is written down."""
        with self._lock:
            return min(self._under_way.values(), default=time.monotonic())

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
