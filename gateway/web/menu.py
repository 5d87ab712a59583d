"""The menu: what somebody with these roles has a use for. What may be done is judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.web.visit import Person


@dataclass(frozen=True, slots=True)
class Item:
    key: str
    text: str
    href: str


_CASES = Item("cases", "Cases", "/cases")
_TASKS = Item("tasks", "My tasks", "/tasks")
_INBOX = Item("inbox", "Inbox", "/inbox")
_ADMIN = Item("administration", "Administration", "/administration")
_AUDIT = Item("audit", "Audit", "/audit")
_TEAM = Item("audit", "Team log", "/audit")
_USAGE = Item("audit", "Usage", "/audit/usage")


class Menu:
    """The items for one person, one of them current."""

    def __init__(self, person: Person, current: str, unread: int | None) -> None:
        self.current, self.unread = current, unread
        self.items = [
            *([_CASES] if person.caseworker else []),
            *([_TASKS] if person.caseworker or person.is_any("light_participant") else []),
            _INBOX,
            *([_ADMIN] if person.is_any("agency_admin", "system_operator", "security_manager") else []),
            *_of_the_log(person),
        ]


def _of_the_log(person: Person) -> list[Item]:
    if person.is_any("agency_dpo", "partnership_dpo"):
        return [_AUDIT]
    if person.is_any("supervisor"):
        return [_TEAM]
    return [_USAGE] if person.is_any("programme_manager", "governance_member") else []


def home_of(person: Person | None) -> str:
    """Where somebody begins."""
    if person is None:
        return "/log-in"
    if person.caseworker:
        return "/cases"
    if person.is_any("agency_admin", "system_operator", "security_manager"):
        return "/administration"
    if person.is_any("agency_dpo", "partnership_dpo"):
        return "/audit"
    if person.is_any("programme_manager", "governance_member"):
        return "/audit/usage"
    return "/tasks" if person.is_any("light_participant") else "/inbox"
