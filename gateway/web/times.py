"""Times as people here read them: Europe/London, day first."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def moment(found: str | datetime) -> datetime:
    """What a service sent, in London."""
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    try:
        return found.astimezone(LONDON)
    except OverflowError:  # on the first day that there is, which somebody may have typed
        return found


def when(found: str | datetime | None) -> str:
    """`24 November 2026, 6:05pm`."""
    if found is None:
        return ""
    there = moment(found)
    return f"{day(there.date())}, {clock(there)}"


def clock(there: datetime) -> str:
    hour = there.hour % 12 or 12
    return f"{hour}:{there.minute:02d}{'am' if there.hour < 12 else 'pm'}"


def day(found: str | date | datetime | None) -> str:
    """`24 November 2026`, of a date or of the day in London on which a moment falls."""
    if found is None:
        return ""
    if isinstance(found, str):
        found = moment(found) if "T" in found else date.fromisoformat(found)
    return f"{found.day} {found:%B %Y}"


def month(found: str) -> str:
    """`November 2026`."""
    return f"{date.fromisoformat(found):%B %Y}"


def stamp(found: str | datetime) -> str:
    """For `<time datetime>`."""
    return moment(found).isoformat(timespec="seconds")


def today(now: datetime | None = None) -> date:
    return (now or datetime.now(UTC)).astimezone(LONDON).date()


def to_utc(there: date, at: time) -> datetime:
    """A wall-clock time in London as a moment. The hour that happens twice is the first."""
    return datetime.combine(there, at, LONDON).astimezone(UTC)


def end_of(there: date) -> datetime:
    """The last second of a day in London: what is good "until" a day is good on it."""
    return to_utc(there, time(23, 59, 59))
