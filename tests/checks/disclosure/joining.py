"""Joins what clients received with what the log says. Pure.

For each answer in which a canary was found: its `Consultation` entry is in the log once, says that it was
shown, and names the case with the canary's section, at a version in which the case had what was shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.checks.disclosure.canaries import Canary

FIRST_ATTEMPT_SECONDS = 1.2
"""An answer that took less came of the first attempt: the second begins after 42 % of the 4 s of a call."""


@dataclass(frozen=True, slots=True)
class Received:
    """One answer, whole or in part, with what was found in it. `entry_id` is its `Consultation` header."""

    request_id: str
    status: int
    seconds: float
    entry_id: str | None
    whole: bool
    canaries: tuple[Canary, ...]
    path: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the log: sections and versions by case."""

    id: str
    request_id: str
    outcome: str
    sections: Mapping[str, frozenset[str]]
    versions: Mapping[str, int | None]


@dataclass
class Joined:
    """Each list has lines for a person, without personal data."""

    disclosures: int = 0
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)


def logged(detail: Mapping[str, Any]) -> Logged:
    """An entry from the `detail` of an export line."""
    sections: dict[str, set[str]] = defaultdict(set)
    versions: dict[str, int | None] = {}
    for one in detail.get("objects", ()):
        sections[one["id"]].update(one.get("sections") or ())
        versions[one["id"]] = one.get("version")
    return Logged(
        detail["id"],
        detail["request_id"],
        detail["outcome"],
        {key: frozenset(found) for key, found in sections.items()},
        versions,
    )


def join(
    received: Iterable[Received], entries: Iterable[Logged], spans: Mapping[str, tuple[int, int | None]]
) -> Joined:
    """`spans` has, for words that were replaced later, the first version with them and the first without."""
    entries = list(entries)
    by_id: dict[str, list[Logged]] = defaultdict(list)
    shown = Counter[str]()
    for entry in entries:
        by_id[entry.id].append(entry)
        if entry.outcome in {"shown", "done"}:
            shown[entry.request_id] += 1
    joined = Joined()
    for answer in received:
        if answer.canaries:
            joined.disclosures += 1
            _judge(answer, by_id.get(answer.entry_id or "", []), spans, joined)
        if answer.whole and answer.seconds < FIRST_ATTEMPT_SECONDS and shown[answer.request_id] > 1:
            joined.doubled.append(f"{answer.path}: {shown[answer.request_id]} entries for one attempt")
    return joined


def _judge(
    answer: Received,
    entries: list[Logged],
    spans: Mapping[str, tuple[int, int | None]],
    joined: Joined,
) -> None:
    if not entries:
        joined.missing.append(f"{answer.path}: {'no entry' if answer.entry_id else 'no Consultation header'}")
        return
    if len(entries) > 1:
        joined.doubled.append(f"{answer.path}: {len(entries)} entries of one id")
    entry = entries[0]
    if entry.outcome not in {"shown", "done"}:
        joined.mismatched.append(f"{answer.path}: shown, and logged as {entry.outcome}")
    for canary in answer.canaries:
        wrong = _wrong(canary, entry, spans.get(canary.word))
        if wrong:
            joined.mismatched.append(f"{answer.path}: {canary.kind}: {wrong}")


def _wrong(canary: Canary, entry: Logged, span: tuple[int, int | None] | None) -> str | None:
    if canary.case_id is None:
        return None
    if canary.case_id not in entry.sections:
        return "the entry does not name the case"
    if canary.section is not None and canary.section not in entry.sections[canary.case_id]:
        return f"the entry does not name the section {canary.section}"
    version = entry.versions.get(canary.case_id)
    if span is not None and version is not None:
        first, after = span
        if version < first or (after is not None and version >= after):
            return "the entry names another version"
    return None
