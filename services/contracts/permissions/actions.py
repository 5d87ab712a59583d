"""What can be done with a case, by name: a method about one case, a level, or the reading of one section."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..vocabulary import LEVELS, SECTIONS, Section
from .audit import PERMITS as AUDIT
from .cases import PERMITS as CASES
from .permit import CASEWORKERS, READ, Permit
from .sharing import PERMITS as SHARING

ACTS_IN: Final[Mapping[str, Section]] = MappingProxyType(
    {
        "add_entry": "timeline",
        "revise_entry": "timeline",
        "withdraw_entry": "timeline",
        "add_task": "tasks",
        "put_case_subject": "subjects",
        "remove_case_subject": "subjects",
    }
)
"""Methods that act in one section: the level has to reach them there."""
Action = tuple[Permit, Section | None]


def _about_a_case() -> dict[str, Action]:
    found: dict[str, Action] = {level: (Permit(CASEWORKERS, READ, level=level), None) for level in LEVELS}
    found |= {section: (Permit(CASEWORKERS, READ, level="read"), section) for section in SECTIONS}
    for permits in (AUDIT, SHARING, CASES):
        found |= {
            name: (permit, ACTS_IN.get(name)) for name, permit in permits.items() if permit.level is not None
        }
    return found


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(_about_a_case())
"""`may` of a case names some of them; what a level or section stands for is reading by a caseworker."""
