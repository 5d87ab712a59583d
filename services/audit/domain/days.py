"""What each person did on each day, and what of it is unusual. Pure; worked out of the log, entry by entry.

Unusual is, of one person on one day (Europe/London), by `Thresholds`:
    out_of_hours  opened something before the first hour or from the last on (06:00, 22:00)
    volume        opened more different cases than so many (50)
    no_relation   opened more than so many (10) different cases with which it has nothing to do personally: it
                  neither owns them, nor is named in a share itself (its team does not count), nor has worked
                  on them
    own_name      searched for its own name

Thresholds are the same for everybody: they say where to look, not what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.contracts.access import AccessList
from services.contracts.reviews import ReviewKind

LONDON = ZoneInfo("Europe/London")
KEPT = 500
"""Different cases of a day that are told apart; beyond, a day counts as this many."""
_CHANGES = frozenset({"collection", "alteration", "combination", "erasure"})

Key = tuple[str, str]
"""Day and person."""
Pair = tuple[str, str]
"""Case and person."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is not unusual yet; `KEPT` cases at most. Hours are full ones, 0 to 24."""

    first_hour: int = 6
    last_hour: int = 22
    cases: int = 50
    strange: int = 10


@dataclass(slots=True)
class Day:
    """One person's day. `uses`: by template, how often a case was opened and something contributed."""

    day: str
    actor_id: str
    agency_id: str
    person: bool
    team_ids: list[str] = field(default_factory=list)
    opened: int = 0
    contributed: int = 0
    last_log_in: datetime | None = None
    uses: dict[str, dict[str, int]] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Finding:
    """More of something unusual: `total` is what it comes to, or `more` what is added to it."""

    kind: ReviewKind
    day: str
    actor_id: str
    agency_id: str
    entry_ids: list[str] = field(default_factory=list)
    total: int | None = None
    more: int = 0

    @property
    def id(self) -> str:
        return f"{self.kind}.{self.day}.{self.actor_id}"


@dataclass(frozen=True, slots=True)
class Act:
    """What is looked at of an entry."""

    id: str
    at: datetime
    actor_id: str
    agency_id: str
    kind: str
    action: str
    outcome: str
    use: str | None
    opened: bool
    """Something was shown by being opened."""
    contributed: bool
    cases: tuple[str, ...]
    own_name: bool

    @property
    def day(self) -> str:
        return self.at.astimezone(LONDON).date().isoformat()

    @property
    def key(self) -> Key:
        return self.day, self.actor_id

    @property
    def opens_case(self) -> bool:
        return self.action == "case.read" and self.opened

    @property
    def counts(self) -> bool:
        return self.kind != "service" and (self.opened or self.contributed or self.own_name or (self.logs_in))

    @property
    def logs_in(self) -> bool:
        """By a password or by the agency's own identity provider."""
        return self.action in ("session.create", "session.sign_in") and self.outcome == "done"


def act_of(detail: str) -> Act:
    found: dict[str, Any] = json.loads(detail)
    objects, actor, outcome = found.get("objects", ()), found["actor"], found["outcome"]
    return Act(
        id=found["id"],
        at=datetime.fromisoformat(found["at"]),
        actor_id=actor["id"],
        agency_id=actor["agency_id"],
        kind=actor["kind"],
        action=found["action"],
        outcome=outcome,
        use=found.get("use"),
        opened=found.get("how") == "opened" and outcome == "shown",
        contributed=outcome == "done" and found["operation"] in _CHANGES,
        cases=tuple(item["id"] for item in objects if item["type"] == "case"),
        own_name=any(item["type"] == "flag" and item["id"] == "own_name" for item in objects),
    )


def named(acl: AccessList, person: str) -> bool:
    """It owns the case, or a share names it itself."""
    return acl.owner.user.id == person or any(person in share.user_ids for share in acl.shares)


def worked_on(acts: Iterable[Act]) -> set[Pair]:
    """Who has done something in which case."""
    return {
        (case, act.actor_id) for act in acts if act.contributed and act.kind == "user" for case in act.cases
    }


def opened_by(acts: Iterable[Act]) -> set[Pair]:
    """Who has opened which case."""
    return {
        (case, act.actor_id) for act in acts if act.opens_case and act.kind == "user" for case in act.cases
    }


def reckon(
    acts: Iterable[Act],
    days: Mapping[Key, Day],
    related: Callable[[Pair], bool],
    thresholds: Thresholds,
) -> tuple[dict[Key, Day], list[Finding]]:
    """The days with these acts, in the order of the log, and what of it is to be looked at. `days` are those
    that are there already; `related`: whether a person has to do with a case personally."""
    changed, found = dict[Key, Day](), dict[str, Finding]()
    for act in acts:
        if not act.counts:
            continue
        day = changed.get(act.key) or days.get(act.key)
        if day is None:
            day = Day(act.day, act.actor_id, act.agency_id, act.kind == "user")
        changed[act.key] = day
        _count(act, day)
        if act.kind != "user":
            continue
        for kind, total in _unusual(act, day, related, thresholds):
            one = Finding(kind, act.day, act.actor_id, act.agency_id)
            one = found.setdefault(one.id, one)
            one.entry_ids.append(act.id)
            one.total, one.more = total, one.more + 1
    return changed, list(found.values())


def _count(act: Act, day: Day) -> None:
    if act.logs_in:
        day.last_log_in = max(act.at, day.last_log_in or act.at)
    if act.opens_case:
        day.opened += 1
    if act.contributed:
        day.contributed += 1
    if act.use is not None and (act.opens_case or act.contributed):
        use = day.uses.setdefault(act.use, {"opened": 0, "contributed": 0})
        use["opened"] += act.opens_case
        use["contributed"] += act.contributed


def _unusual(
    act: Act, day: Day, related: Callable[[Pair], bool], thresholds: Thresholds
) -> Iterable[tuple[ReviewKind, int | None]]:
    hour = act.at.astimezone(LONDON).hour
    if act.opened and not thresholds.first_hour <= hour < thresholds.last_hour:
        yield "out_of_hours", None
    if act.own_name:
        yield "own_name", None
    if not act.opens_case:
        return
    for case in act.cases:
        if case not in day.cases and len(day.cases) < KEPT:
            day.cases.append(case)
            if len(day.cases) > thresholds.cases:
                yield "volume", len(day.cases)
            if not related((case, act.actor_id)):
                day.strange.append(case)
                if len(day.strange) > thresholds.strange:
                    yield "no_relation", len(day.strange)
