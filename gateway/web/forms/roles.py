"""The question about somebody's roles: which of them a visitor can give, each with its first and last day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from gateway.web import words
from gateway.web.forms.fields import Field, read_day
from gateway.web.forms.form import Form, NotRight

if TYPE_CHECKING:
    from gateway.web.visit import Person

ROLES = Field("roles", "Roles", "choices", options=tuple(words.choices("role")), pointer="/roles")
_SIDES = ("starts_on", "ends_on")
_OPERATOR_GIVES = (
    "agency_admin",
    "system_operator",
    "partnership_dpo",
    "security_manager",
    "programme_manager",
    "governance_member",
)
_BEYOND_AGENCY = frozenset({"system_operator", "partnership_dpo", "security_manager"})


def roles_to_give(visitor: Person | None, held: list[str] | None = None) -> list[tuple[str, str]]:
    """Those that this visitor can give, and those that the person holds already."""
    codes: set[str] = set(held or ())
    if visitor is not None and visitor.is_any("system_operator"):
        codes.update(_OPERATOR_GIVES)
    if visitor is not None and visitor.is_any("agency_admin"):
        codes.update(code for code, _ in words.choices("role") if code not in _BEYOND_AGENCY)
    return [(code, text) for code, text in words.choices("role") if code in codes]


def fill_roles(form: Form, held: list[dict[str, Any]]) -> None:
    """Tick those that somebody holds, each with its days as they are typed."""
    form.fill({"roles": [one["role"] for one in held]})
    for one in held:
        for side in _SIDES:
            form.fill({f"{side}-{one['role']}": _short(one[side])})


def read_roles(form: Form) -> list[dict[str, str]]:
    """Those ticked, each with its first and last day if there is one."""
    found = []
    for role in form.all("roles"):
        one = {"role": role}
        for side in _SIDES:
            if text := form.text(f"{side}-{role}"):
                there = _read_short(text)
                if there is None:
                    form.wrong("roles", f"{text} is no date. Write it like 27/3/2027")
                    raise NotRight
                one[side] = there.isoformat()
        found.append(one)
    return found


def _short(day: str | None) -> str | None:
    return None if day is None else "{2}/{1}/{0}".format(*(str(int(part)) for part in day.split("-")))


def _read_short(text: str) -> date | None:
    parts = text.replace("/", " ").replace(".", " ").replace("-", " ").split()
    return read_day(*parts) if len(parts) == 3 else None
