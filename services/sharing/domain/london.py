"""Days as the partnership reckons them: dates without a time begin and end in Europe/London."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day_of(moment: datetime) -> date:
    """The day that it is in London at `moment` (aware)."""
    return moment.astimezone(LONDON).date()


def covers(starts_on: date | None, ends_on: date | None, today: date) -> bool:
    """Whether `today` is within both days, each included; None is open."""
    return (starts_on is None or starts_on <= today) and (ends_on is None or today <= ends_on)
