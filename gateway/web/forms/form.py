"""One form as a person filled it in: the typed text is kept whatever happens to it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from gateway.web import times, words
from gateway.web.forms.fields import Field, day_parts, moment_parts, read_clock, read_day
from services.contracts.errors import ConcordatError, Invalid
from services.contracts.parsing import Message, parse

Typed = Mapping[str, Sequence[str]]
ONCE, CSRF, ETAG = "once", "csrf", "etag"
_RETRIED_AS_IT_WAS = 500
"""From this status on nobody knows whether it was done: the same key is sent again."""


class NotRight(Exception):
    """The form has errors; they stand in it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the error summary. `anchor` None: it is about no field."""

    text: str
    anchor: str | None = None


class Form:
    """What was typed into some fields, and what is wrong with it.

    `once` is the random key of this form: sent twice, it makes one thing. `stale`: somebody changed what it
    is about since it was read; the page shows that beside what was typed.
    """

    def __init__(self, fields: Iterable[Field], typed: Typed | None = None) -> None:
        self.fields = {field.name: field for field in fields}
        self._typed: dict[str, list[str]] = {name: list(values) for name, values in (typed or {}).items()}
        self.problems: list[Problem] = []
        self._wrong: dict[str, str] = {}
        self.request_id: str | None = None
        self.sent = typed is not None
        self.stale = False
        given = self.text(ONCE)
        self.once = given if 16 <= len(given) <= 64 and given.isascii() and given.isalnum() else _random()

    # --- what was typed ---

    def text(self, name: str) -> str:
        """The last value under this name, with the line ends of this world and no blanks around it."""
        values = self._typed.get(name)
        if not values:
            return ""
        return values[-1].replace("\r\n", "\n").strip()

    def raw(self, name: str) -> str:
        """As it was typed: a password may begin with a blank."""
        values = self._typed.get(name)
        return values[-1] if values else ""

    def all(self, name: str) -> list[str]:
        """Every value under this name: what was ticked."""
        return list(self._typed.get(name, ()))

    def has(self, name: str) -> bool:
        return name in self._typed

    @property
    def etag(self) -> str | None:
        return self.text(ETAG) or None

    def fill(self, values: Mapping[str, Any]) -> None:
        """What stands in the form before anybody types."""
        for name, value in values.items():
            if name in self._typed:
                continue
            if isinstance(value, (list, tuple)):
                self._typed[name] = [str(one) for one in value]
            elif value is not None:
                self._typed[name] = [str(value)]

    def fill_day(self, name: str, there: date | None) -> None:
        if there is not None:
            self.fill(day_parts(name, there))

    def fill_moment(self, name: str, at: str | datetime | None) -> None:
        if at is not None:
            self.fill(moment_parts(name, at))

    def put(self, name: str, value: str) -> None:
        """Replace what stands there."""
        self._typed[name] = [value]

    def day(self, name: str) -> date | None:
        """The date typed, or None if nothing was; a wrong one is a problem."""
        parts = [self.text(part) for part in self.fields[name].parts[:3]]
        if not any(parts):
            return None
        found = read_day(*parts)
        if found is None or not 1850 <= found.year <= 2199:
            self.wrong(name, f"{self.fields[name].label} must be a real date, like 27 3 2026")
            return None
        return found

    def moment(self, name: str) -> datetime | None:
        """The moment typed, in UTC; no time of day typed is a problem."""
        there = self.day(name)
        if there is None:
            return None
        clock = read_clock(self.text(f"{name}-time"))
        if clock is None:
            self.wrong(name, f"{self.fields[name].label} needs a time, like 14:30", part=3)
            return None
        return times.to_utc(there, clock)

    # --- what is wrong ---

    def wrong(self, name: str, message: str, part: int = 0) -> None:
        """Say what is wrong with a field, once."""
        if name in self._wrong:
            return
        self._wrong[name] = message
        field = self.fields[name]
        self.problems.append(Problem(message, field.parts[part] if field.kind != "hidden" else None))

    def fail(self, message: str) -> None:
        """Say what is wrong with none of its fields."""
        self.problems.append(Problem(message))

    def error(self, name: str) -> str | None:
        return self._wrong.get(name)

    def check(self) -> None:
        """Complain about empty and over-long answers."""
        for field in self.fields.values():
            if field.missing is not None and not any(self.raw(part).strip() for part in field.parts):
                self.wrong(field.name, field.missing)
            elif field.kind in ("text", "area", "email") and len(self.text(field.name)) > field.limit:
                self.wrong(field.name, f"{field.label} must be {field.limit:,} characters or fewer", part=0)

    def require(self) -> None:
        """Raises NotRight if anything is wrong so far."""
        if self.problems:
            raise NotRight

    def request(self, model: type[Message], body: Mapping[str, Any]) -> Message:
        """`body` as the request that it is. Raises NotRight, with the problems where they belong."""
        self.require()
        try:
            return parse(model, {name: _plain(value) for name, value in body.items()})
        except Invalid as problem:
            self.refused(problem)
            raise NotRight from None

    def refused(self, problem: ConcordatError, request_id: str | None = None) -> None:
        """Take over what a service says is wrong."""
        self.request_id = request_id
        known = False
        for error in problem.errors:
            if (name := self._named_by(error.pointer)) is not None:
                self.wrong(name, self._sentence(name, error.code, error.detail, problem))
                known = True
        if not known:
            self.problems.append(Problem(words.refusal(problem.public_code)))
        if problem.status < _RETRIED_AS_IT_WAS:
            self.once = _random()
        if problem.public_code == "stale":
            self.stale = True
            if problem.etag is not None:
                self.put(ETAG, problem.etag)

    def _named_by(self, pointer: str) -> str | None:
        """The field with the longest place at or above the pointer's."""
        best: str | None = None
        for name, field in self.fields.items():
            place = field.place
            if (pointer == place or pointer.startswith(f"{place}/")) and (
                best is None or len(place) > len(self.fields[best].place)
            ):
                best = name
        return best

    def _sentence(self, name: str, code: str, detail: str, problem: ConcordatError) -> str:
        field = self.fields[name]
        if code == "required" and field.missing:
            return field.missing
        if problem.public_code != "invalid" and code in (problem.public_code, ""):
            return words.refusal(problem.public_code)
        if code in words.FIELD_ERRORS:
            return f"{field.label}: {words.FIELD_ERRORS[code].lower()}"
        return words.REFUSALS.get(code) or words.FIELD_CODES.get(code) or detail.rstrip(".")


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _random() -> str:
    return secrets.token_hex(16)
