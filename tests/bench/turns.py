"""What the judge and a client say to each other: a line of JSON asks for a turn, another answers it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any

READY = "ready"


@dataclass(frozen=True)
class Turn:
    """Keep `outstanding` calls on their way for `seconds`.

    Or, with `per_second`, begin so many, whether or not others have ended.
    """

    outstanding: int
    seconds: float
    per_second: float = 0.0


@dataclass(frozen=True)
class Played:
    """What came of a turn. Times are seconds; a call that failed is in no other number."""

    calls: int
    seconds: float
    p50: float
    p99: float
    failed: int = 0

    @property
    def rate(self) -> float:
        return self.calls / self.seconds


def played(latencies: list[float], seconds: float, failed: int = 0) -> Played:
    latencies.sort()
    return Played(len(latencies), seconds, quantile(latencies, 0.5), quantile(latencies, 0.99), failed)


def quantile(ordered: list[float], share: float) -> float:
    """The nearest-rank quantile; 0 when there is nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def parse_turn(line: str) -> Turn:
    return Turn(**json.loads(line))


def write(out: IO[str], message: Any) -> None:
    """A dataclass as a line."""
    out.write(json.dumps(asdict(message)) + "\n")
    out.flush()


def take_turns(play: Callable[[Turn], Played], lines: IO[str], out: IO[str]) -> None:
    """For a client without an event loop: say that it is ready, then play until there are no more turns."""
    print(READY, file=out, flush=True)
    for line in lines:
        write(out, play(parse_turn(line)))
