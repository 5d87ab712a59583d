"""A case as it is kept: what it says, who may see it, what changed when. Pure.

One document holds the content and the access list that it is judged by, so that nothing shown is ever newer
than that list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from services.contracts.access import AccessList
from services.contracts.bars import About
from services.contracts.vocabulary import CaseRole, CaseStatus, Marking, Priority, SubjectKind, Template

Part = Literal["case", "summary", "subjects", "victims", "timeline", "tasks"]
"""What a change belongs to: who may not see the part is not told that it changed."""


@dataclass(frozen=True, slots=True)
class InCase:
    """A subject of the case, with its label as it was when it was put in."""

    id: str
    name: str
    kind: SubjectKind
    role: CaseRole


@dataclass(frozen=True, slots=True)
class Withheld:
    """The entries that do not exist for these agencies: how many, and when one of them last changed."""

    agencies: tuple[str, ...]
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """One case at one version. `entries` counts all; `next_due` and `tasks_open` are of all open tasks."""

    id: str
    reference: str
    template: Template
    title: str
    status: CaseStatus
    priority: Priority
    marking: Marking
    acl: AccessList
    created_at: datetime
    created_by: str
    version: int = 1
    summary: str | None = None
    external_ref: Mapping[str, Any] | None = None
    subjects: tuple[InCase, ...] = ()
    changed: Mapping[str, datetime] = field(default_factory=dict)
    withheld: tuple[Withheld, ...] = ()
    entries: int = 0
    tasks_open: int = 0
    next_due: str | None = None

    @property
    def aggregate(self) -> str:
        """What its events are about."""
        return f"cases/{self.id}"

    @property
    def closed(self) -> bool:
        return self.status == "closed"

    @property
    def about(self) -> About:
        """What of it the caller's bars hang on."""
        return About(self.template, self.marking)

    def judged_by(self, acl: AccessList) -> Case:
        """With `acl`, unless its own is newer."""
        return replace(self, acl=acl) if acl.version > self.acl.version else self


@dataclass(frozen=True, slots=True)
class Change:
    """What one command does to the case document. `exact`: it was worked out from this very version."""

    sets: Mapping[str, Any]
    counts: Mapping[str, int] = field(default_factory=dict)
    exact: bool = False


def clock() -> datetime:
    """Now, as finely as the database keeps it."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """What is shown at once and what is read later are then the same."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def after(now: datetime, before: datetime) -> datetime:
    """Now, or as soon as the database can tell it from `before`, whose clock may have been ahead."""
    return max(now, before + timedelta(milliseconds=1))


def part_of(role: CaseRole) -> Part:
    """Victims are hidden from whoever is on the perpetrator's side."""
    return "victims" if role == "victim" else "subjects"


def touched(part: Part, now: datetime) -> dict[str, Any]:
    return {f"changed.{part}": now}


def entry_added(case: Case, withhold_from: tuple[str, ...], now: datetime) -> Change:
    """One entry more, for all or for all but some agencies."""
    if not withhold_from:
        return Change(touched("timeline", now), {"entries": 1})
    return Change({"withheld": _withheld(case, withhold_from, now, 1)}, {"entries": 1}, exact=True)


def entry_changed(case: Case, withhold_from: tuple[str, ...], now: datetime) -> Change:
    """An entry was revised or withdrawn. A withdrawn one keeps its place and counts."""
    if not withhold_from:
        return Change(touched("timeline", now))
    return Change({"withheld": _withheld(case, withhold_from, now, 0)}, exact=True)


def _withheld(case: Case, agencies: tuple[str, ...], now: datetime, more: int) -> list[dict[str, Any]]:
    agencies = tuple(sorted(set(agencies)))
    rows = {one.agencies: one for one in case.withheld}
    count = rows[agencies].count if agencies in rows else 0
    rows[agencies] = Withheld(agencies, count + more, now)
    return [{"agencies": list(one.agencies), "count": one.count, "at": one.at} for one in rows.values()]
