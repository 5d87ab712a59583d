"""What both sides of `bench-events` do: change notes in turn, so many that two changes seldom meet on one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

NOTES = 200
TEXT = "The quick brown fox jumps over the lazy dog. "


def note_ids() -> Iterator[str]:
    return (f"note-{number}" for number in itertools.cycle(range(NOTES)))


@dataclass
class Acknowledged:
    """What came of a turn: when it began, and of each change its note, version and time. Unix seconds."""

    began: float
    changes: list[tuple[str, int, float]] = field(default_factory=list)
    failed: int = 0
