"""Judges a history: pure functions, each for one promise of design.md section 3.

V1: no acknowledged write is lost, none is applied twice. V4: every event takes effect once, in order, and
nothing else does. V5: every request is answered within five seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tests.faults.history import Exchange, History

ANSWER_SECONDS = 5.0

What = Literal["lost", "doubled", "out of order", "foreign", "late", "unfinished"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    promise: str
    what: What
    text: str


Rule = Callable[[History], Iterator[Violation]]


def check(history: History) -> list[Violation]:
    """Every violation in `history`; an empty list is a pass."""
    return [violation for rule in RULES for violation in rule(history)]


def acknowledged_writes_are_there(history: History) -> Iterator[Violation]:
    there = {(change.note, change.version, change.key) for change in history.changes}
    for told in _acknowledged(history):
        if (told.note, told.version, told.key) not in there:
            yield Violation("V1", "lost", f"{told.note} version {told.version} was acknowledged")


def writes_take_effect_once(history: History) -> Iterator[Violation]:
    for key, count in Counter(change.key for change in history.changes).items():
        if count > 1:
            yield Violation("V1", "doubled", f"command {key} took effect {count} times")
    for (note, version), count in Counter(
        (change.note, change.version) for change in history.changes
    ).items():
        if count > 1:
            yield Violation("V1", "doubled", f"{note} has version {version} {count} times")
    for key, versions in _versions_told(history).items():
        if len(versions) > 1:
            yield Violation("V1", "doubled", f"command {key} was told versions {sorted(versions)}")


def versions_are_contiguous(history: History) -> Iterator[Violation]:
    """A hole is a write that was there once; a note at another version than its changes lost some, too."""
    versions: dict[str, set[int]] = defaultdict(set)
    for change in history.changes:
        versions[change.note].add(change.version)
    for note, found in versions.items():
        for missing in sorted(set(range(1, max(found) + 1)) - found):
            yield Violation("V1", "lost", f"{note} has no version {missing}")
    notes = dict(history.notes)
    for note in sorted(notes.keys() | versions.keys()):
        if notes.get(note, 0) != max(versions.get(note, {0})):
            yield Violation(
                "V1", "lost", f"{note} is at version {notes.get(note)}, its changes say otherwise"
            )


def nothing_unasked_takes_effect(history: History) -> Iterator[Violation]:
    commands = [exchange for exchange in history.exchanges if exchange.kind == "change"]
    asked = {(exchange.note, exchange.key) for exchange in commands}
    refused = {exchange.key for exchange in commands if exchange.refused}
    for change in history.changes:
        if (change.note, change.key) not in asked:
            yield Violation("V1", "foreign", f"nobody asked for {change.note} version {change.version}")
        elif change.key in refused:
            yield Violation(
                "V1", "foreign", f"{change.note} version {change.version} took effect, yet was refused"
            )


def commands_get_an_outcome(history: History) -> Iterator[Violation]:
    """A client gives a command again until it is told; when the trial ends all of them have been."""
    settled = {e.key for e in history.exchanges if e.kind == "change" and (e.good or e.refused)}
    for key in sorted({e.key for e in history.exchanges if e.kind == "change"} - settled):
        yield Violation("V5", "unfinished", f"command {key} was never told its outcome")


def events_are_applied_once(history: History) -> Iterator[Violation]:
    counts = Counter((applied.note, applied.number) for applied in history.applied)
    for (note, number), count in counts.items():
        if count > 1:
            yield Violation("V4", "doubled", f"mirror applied {note} number {number} {count} times")
    for change in sorted({(change.note, change.version) for change in history.changes}):
        if not counts[change]:
            yield Violation("V4", "lost", f"mirror never applied {change[0]} number {change[1]}")


def events_are_applied_in_order(history: History) -> Iterator[Violation]:
    by_note: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for applied in history.applied:
        by_note[applied.note].append((applied.turn, applied.number))
    for note, turns in sorted(by_note.items()):
        numbers = [number for _, number in sorted(turns)]
        for before, after in pairwise(numbers):
            if after < before:
                yield Violation("V4", "out of order", f"mirror applied {note} number {after} after {before}")


def only_true_events_are_applied(history: History) -> Iterator[Violation]:
    true = {(change.note, change.version) for change in history.changes}
    emitted = {event.event for event in history.emitted}
    for applied in history.applied:
        if (applied.note, applied.number) not in true:
            yield Violation(
                "V4", "foreign", f"mirror applied {applied.note} number {applied.number}: no such change"
            )
        elif history.boxed and applied.event not in emitted:
            yield Violation("V4", "foreign", f"mirror applied event {applied.event}, which echo did not emit")


def the_outbox_is_emptied(history: History) -> Iterator[Violation]:
    for event in history.emitted:
        if not event.sent:
            yield Violation("V4", "lost", f"{event.note} number {event.number} still waits in the outbox")
    if not history.boxed:
        return
    counts = Counter((event.note, event.number) for event in history.emitted)
    for change in sorted({(change.note, change.version) for change in history.changes}):
        if counts[change] != 1:
            what: What = "doubled" if counts[change] else "lost"
            yield Violation("V4", what, f"{change[0]} version {change[1]} has {counts[change]} events")


def answers_come_in_time(history: History) -> Iterator[Violation]:
    for exchange in history.exchanges:
        if exchange.seconds is None:
            yield Violation("V5", "late", f"{exchange.kind} was not answered at all")
        elif exchange.seconds > ANSWER_SECONDS:
            yield Violation("V5", "late", f"{exchange.kind} was answered after {exchange.seconds:.2f} s")


def answers_fit_their_questions(history: History) -> Iterator[Violation]:
    for exchange in history.exchanges:
        if exchange.crossed:
            yield Violation("V1", "foreign", f"{exchange.kind} got the answer to another question")
        if exchange.kind == "mirror" and exchange.good and exchange.applied != exchange.version:
            what: What = "lost" if (exchange.applied or 0) < (exchange.version or 0) else "doubled"
            text = f"mirror said {exchange.applied} changes at version {exchange.version} of {exchange.note}"
            yield Violation("V4", what, text)


RULES: tuple[Rule, ...] = (
    acknowledged_writes_are_there,
    writes_take_effect_once,
    versions_are_contiguous,
    nothing_unasked_takes_effect,
    commands_get_an_outcome,
    events_are_applied_once,
    events_are_applied_in_order,
    only_true_events_are_applied,
    the_outbox_is_emptied,
    answers_come_in_time,
    answers_fit_their_questions,
)


def _acknowledged(history: History) -> Iterable[Exchange]:
    return (e for e in history.exchanges if e.kind == "change" and e.good)


def _versions_told(history: History) -> dict[str, set[int]]:
    told: dict[str, set[int]] = defaultdict(set)
    for exchange in _acknowledged(history):
        told[exchange.key].add(exchange.version or 0)
    return told
