"""In which order events of one aggregate take effect, and what to do with one that is not the next. Pure.

A consumer keeps a position per (source, aggregate). Numbers are contiguous from 1: what is missing is known.
A number that was given up is remembered as skipped: should it still come, it is applied late, and once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

RECALL = 20
"""Numbers of which the event's id is kept, to tell a repeated event from another one with the same number."""

Span = tuple[int, int]
"""First and last of a run of numbers, both included."""


class Verdict(Enum):
    """What to do with an event."""

    APPLY = "apply"
    DUPLICATE = "duplicate"
    EARLY = "early"
    """Numbers before it have not come yet."""
    LATE = "late"
    """It was given up and came after all: to be applied, out of order."""
    CONFLICT = "conflict"
    """Another event took effect under this number: the producer counted wrongly."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the events of one aggregate have taken effect."""

    applied: int = 0
    recent: tuple[tuple[int, str], ...] = ()
    skipped: tuple[Span, ...] = ()
    parked: bool = False
    """Later numbers have come already and wait in `parking.py`."""


def decide(position: Position, number: int, event_id: str) -> Verdict:
    """What to do with event `event_id`, the `number`th of its aggregate."""
    if number == position.applied + 1:
        return Verdict.APPLY
    if number > position.applied:
        return Verdict.EARLY
    if any(first <= number <= last for first, last in position.skipped):
        return Verdict.LATE
    known = dict(position.recent).get(number, event_id)
    return Verdict.DUPLICATE if known == event_id else Verdict.CONFLICT


def advanced(position: Position, number: int, event_id: str) -> Position:
    """The position after `number` took effect: the next one, or a late one."""
    recent = (*position.recent, (number, event_id))[-RECALL:]
    skipped = _without(position.skipped, number)
    return replace(position, applied=max(position.applied, number), recent=recent, skipped=skipped)


def passed_over(position: Position, before: int) -> Position:
    """The position after every missing number below `before` was given up."""
    missing = missing_before(position, before)
    if missing is None:
        return position
    return replace(position, applied=before - 1, skipped=(*position.skipped, missing))


def missing_before(position: Position, number: int) -> Span | None:
    """The run of numbers between the position and `number`; None when there is none."""
    return (position.applied + 1, number - 1) if number > position.applied + 1 else None


def _without(spans: tuple[Span, ...], number: int) -> tuple[Span, ...]:
    parts: list[Span] = []
    for first, last in spans:
        if not first <= number <= last:
            parts.append((first, last))
            continue
        if first < number:
            parts.append((first, number - 1))
        if number < last:
            parts.append((number + 1, last))
    return tuple(parts)
