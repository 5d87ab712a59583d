"""Warnings before something ends: of a protocol, a share, a role; 90, 30 and 7 days before, each once. And
reminders of what is to be confirmed (`certifying.py`), 7 days before and when it is overdue.

Pure. Of each warning there is a mark: the last end that was looked at. What ends behind the mark and within
the days is due. So nothing has to be kept for each end, and an end that is put off is warned of anew. What
ended later than the next warning's days is that one's: nobody is warned twice of one thing on one day, when
the service was down for long. Who sets a date that is nearer than the days is told by the next warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from services.contracts.alerts import office_keys
from services.sharing.domain.london import covers, day_of
from services.sharing.domain.people import Appointment

Subject = Literal["protocol", "role", "share", "user", "grant"]
"""`user`, `grant`: people and shares to be confirmed."""
_ENDING, _DUE = (90, 30, 7, 0), (7, 0, -36_500)
DAYS: Mapping[Subject, tuple[int, ...]] = MappingProxyType(
    {"protocol": _ENDING, "role": _ENDING, "share": _ENDING, "user": _DUE, "grant": _DUE}
)
"""The days of each warning, and how far the last one looks back."""
_NAMED: Mapping[Subject, str] = MappingProxyType(
    {
        "protocol": "protocol_ends",
        "role": "role_ends",
        "share": "share_ends",
        "user": "users_due",
        "grant": "share_due",
    }
)
_BY_DAYS = frozenset({"protocol", "role"})
BEHIND_ALL = "~"
"""Sorts behind every key: who stands there has seen all that ends on that day."""
MOVED = timedelta(hours=1)
"""A mark that has found nothing is moved when it is so far behind, and not on every look."""

End = str | datetime
"""A day (YYYY-MM-DD, Europe/London) for protocols and roles, else an instant."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where ends were looked at: those at `at` up to `key`."""

    at: End
    key: str = BEHIND_ALL

    def before(self, other: Mark) -> bool:
        """Both of one subject."""
        return (self.at, self.key) < (other.at, other.key)


@dataclass(frozen=True, slots=True)
class Due:
    """What ends. `object_id`: the protocol, the user, the case; of a user to be confirmed the agency.
    `agency_ids`: whose administrators are told. `owner_id`: of the case. `roles`: all that the user has;
    `role` the one that ends. `over`: it has ended itself, so that it is not to be confirmed any more."""

    at: End
    key: str
    object_id: str
    agency_ids: tuple[str, ...] = ()
    owner_id: str | None = None
    role: str | None = None
    roles: tuple[Appointment, ...] = ()
    over: bool = False

    @property
    def mark(self) -> Mark:
        return Mark(self.at, self.key)

    @property
    def goes_on(self) -> bool:
        """Whether another appointment to the same role takes over."""
        return any(
            one.role == self.role
            and (one.ends_on is None or one.ends_on.isoformat() > str(self.at))
            and covers(one.starts_on, None, _next_day(str(self.at)))
            for one in self.roles
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One look: what of this subject ends within `days`, and not within the next warning's."""

    subject: Subject
    days: int
    behind: Mark
    until: Mark

    @property
    def name(self) -> str:
        return name_of(self.subject, self.days)

    def after(self, mark: Mark | None) -> Mark:
        """From where on, if `mark` is where it stands."""
        return self.behind if mark is None or mark.before(self.behind) else mark

    def worth_moving(self, mark: Mark | None) -> bool:
        if mark is None:
            return True
        if isinstance(mark.at, datetime) and isinstance(self.until.at, datetime):
            return self.until.at - mark.at >= MOVED
        return mark.before(self.until)


def name_of(subject: Subject, days: int) -> str:
    return f"{_NAMED[subject]}_{days}"


NAMES = tuple(name_of(subject, days) for subject, all_days in DAYS.items() for days in all_days[:-1])


def looks(now: datetime) -> Iterable[Look]:
    """Every look that there is to take at `now`."""
    for subject, all_days in DAYS.items():
        for days, nearer in pairwise(all_days):
            yield Look(subject, days, _behind(subject, nearer, now), Mark(_at(subject, days, now)))


def _at(subject: Subject, days: int, now: datetime) -> End:
    then = now + timedelta(days=days)
    return (day_of(now) + timedelta(days=days)).isoformat() if subject in _BY_DAYS else then


def _behind(subject: Subject, nearer: int, now: datetime) -> Mark:
    """Of a day that is the last one, today is still to be told."""
    if subject in _BY_DAYS and nearer == 0:
        return Mark((day_of(now) - timedelta(days=1)).isoformat())
    return Mark(_at(subject, nearer, now))


def addressed(subject: Subject, due: Due) -> tuple[tuple[str, ...], ...]:
    """Whom it is told, as index keys: what ends is told each of these groups in words of its own."""
    if subject == "protocol":
        admins = (key for one in due.agency_ids for key in office_keys(("agency_admin",), one))
        return ((*admins, *office_keys(("system_operator",), "")),)
    if subject == "role":
        return (f"u:{due.object_id}",), office_keys(("agency_admin",), due.agency_ids[0])
    if subject == "user":
        return (office_keys(("agency_admin",), due.agency_ids[0]),)
    return ((f"u:{due.owner_id}",),)


def told_of(found: Collection[Due]) -> list[Due]:
    """Of several shares of one case, or people of one agency, the first, for one is as good as many; of roles
    those that end."""
    first: dict[tuple[str, str | None], Due] = {}
    for one in found:
        if not one.goes_on and not one.over:
            first.setdefault((one.object_id, one.role), one)
    return list(first.values())


def _next_day(day: str) -> date:
    return date.fromisoformat(day) + timedelta(days=1)
