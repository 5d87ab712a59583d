"""The kinds of field that forms are made of: what is asked, and how the answer is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from gateway.web import times

Kind = Literal["text", "area", "password", "choice", "choices", "select", "day", "moment", "hidden", "email"]
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})\s*(am|pm)?|(\d{1,2})\s*(am|pm)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `pointer` is the place in the request's body that a problem names, by default `/name`.
    `missing` is said when it is empty; None: it may be."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    missing: str | None = None
    limit: int = 500
    pointer: str = ""
    options: tuple[tuple[str, str], ...] = ()
    rows: int = 5
    autocomplete: str = ""
    width: int = 0

    @property
    def place(self) -> str:
        return self.pointer or f"/{self.name}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The inputs that it is made of."""
        if self.kind == "day":
            return tuple(f"{self.name}-{part}" for part in ("day", "month", "year"))
        if self.kind == "moment":
            return (*(f"{self.name}-{part}" for part in ("day", "month", "year")), f"{self.name}-time")
        return (self.name,)

    @property
    def anchor(self) -> str:
        """The id of what an error summary leads to."""
        return self.parts[0]


def read_day(day: str, month: str, year: str) -> date | None:
    """None if this is no date."""
    try:
        return date(int(year), _month(month), int(day))
    except ValueError:
        return None


def _month(text: str) -> int:
    """A number, or a month's name as people write it."""
    text = text.strip().lower()
    if text.isdigit():
        return int(text)
    if len(text) >= 3:
        for number in range(1, 13):
            if f"{date(2000, number, 1):%B}".lower().startswith(text):
                return number
    raise ValueError


def read_clock(text: str) -> time | None:
    """`14:05`, `2.05pm`, `2pm`; None if it is none of these."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute = int(found[1] or found[4]), int(found[2] or 0)
    half = (found[3] or found[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def day_parts(name: str, there: date) -> dict[str, str]:
    """The inputs' values for a day."""
    return {f"{name}-day": str(there.day), f"{name}-month": str(there.month), f"{name}-year": str(there.year)}


def moment_parts(name: str, at: str | datetime) -> dict[str, str]:
    """The inputs' values for a moment, in London."""
    there = times.moment(at)
    return {**day_parts(name, there.date()), f"{name}-time": f"{there:%H:%M}"}
