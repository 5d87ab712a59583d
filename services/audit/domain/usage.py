"""How much the system is used, added up beforehand: of any span of days a few sums are read, not every day.

    month  m.2026-11    third  t.2026-11.0 (1st to 10th), .1 (11th to 20th), .2 (21st on)    day  d.2026-11-24

Each agency has one sum of each: for itself, for each team of its people, for each use. People are kept by id,
as whoever was active on two days is one person.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.audit.domain.days import Day

_THIRDS = (1, 11, 21)


@dataclass(slots=True)
class Tally:
    """`users`: people who were active; `last_log_in`: of people and clients."""

    users: set[str] = field(default_factory=set)
    opened: int = 0
    contributed: int = 0
    last_log_in: datetime | None = None

    def add(self, other: Tally) -> None:
        self.users |= other.users
        self.opened += other.opened
        self.contributed += other.contributed
        if other.last_log_in is not None:
            self.last_log_in = max(other.last_log_in, self.last_log_in or other.last_log_in)


@dataclass(slots=True)
class Sum:
    """What one agency's days in one period come to. `last`: its last day."""

    period: str
    last: str
    agency_id: str
    own: Tally = field(default_factory=Tally)
    teams: dict[str, Tally] = field(default_factory=dict)
    uses: dict[str, Tally] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.period}/{self.agency_id}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a day had come to when it was last summed up."""

    opened: int = 0
    contributed: int = 0
    uses: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def figures_of(day: Day) -> Figures:
    return Figures(day.opened, day.contributed, {use: dict(counts) for use, counts in day.uses.items()})


def sums_of(day: str, agency_id: str) -> list[Sum]:
    """The empty sums that a day of an agency's is counted in."""
    at = date.fromisoformat(day)
    third = min(2, (at.day - 1) // 10)
    month = f"{at:%Y-%m}"
    return [
        Sum(f"m.{month}", _end_of_month(at).isoformat(), agency_id),
        Sum(f"t.{month}.{third}", _end_of_third(at.replace(day=_THIRDS[third])).isoformat(), agency_id),
        Sum(f"d.{day}", day, agency_id),
    ]


def count(sums: dict[str, Sum], day: Day, before: Figures) -> None:
    """Add to the sums, by id, what a day has come to more since `before`."""
    people = {day.actor_id} if day.person else set[str]()
    more = Tally(people, day.opened - before.opened, day.contributed - before.contributed, day.last_log_in)
    for empty in sums_of(day.day, day.agency_id):
        one = sums.setdefault(empty.id, empty)
        one.own.add(more)
        for team_id in day.team_ids:
            one.teams.setdefault(team_id, Tally()).add(more)
        for use, counts in day.uses.items():
            was = before.uses.get(use, {})
            opened = counts["opened"] - was.get("opened", 0)
            contributed = counts["contributed"] - was.get("contributed", 0)
            one.uses.setdefault(use, Tally()).add(Tally(people, opened, contributed))


def cover(since: date, until: date) -> list[str]:
    """The fewest periods that make up the days from `since` to `until`, both included."""
    found, at = list[str](), since
    while at <= until:
        month, third = _end_of_month(at), _end_of_third(at)
        if at.day == 1 and month <= until:
            found.append(f"m.{at:%Y-%m}")
            at = month
        elif at.day in _THIRDS and third <= until:
            found.append(f"t.{at:%Y-%m}.{_THIRDS.index(at.day)}")
            at = third
        else:
            found.append(f"d.{at.isoformat()}")
        at += timedelta(days=1)
    return found


@dataclass(slots=True)
class Together:
    """Sums of several periods and agencies: by agency; by team and its agency; by use."""

    agencies: dict[str, Tally] = field(default_factory=dict)
    teams: dict[tuple[str, str], Tally] = field(default_factory=dict)
    uses: dict[str, Tally] = field(default_factory=dict)


def together(sums: Iterable[Sum]) -> Together:
    """In the order of their names."""
    found = Together()
    for one in sums:
        found.agencies.setdefault(one.agency_id, Tally()).add(one.own)
        for team_id, tally in one.teams.items():
            found.teams.setdefault((team_id, one.agency_id), Tally()).add(tally)
        for use, tally in one.uses.items():
            found.uses.setdefault(use, Tally()).add(tally)
    return Together(
        dict(sorted(found.agencies.items())),
        dict(sorted(found.teams.items())),
        dict(sorted(found.uses.items())),
    )


def _end_of_month(at: date) -> date:
    return at.replace(day=calendar.monthrange(at.year, at.month)[1])


def _end_of_third(at: date) -> date:
    """Of the third that begins then, or that it is in."""
    return _end_of_month(at) if at.day > 20 else at.replace(day=10 if at.day <= 10 else 20)
