"""What calls the attention of people who answer for a case: its owner, and data protection officers.

sharing emits access.alert(AccessAlert), aggregate `cases/<id>`, numbered with its other events about the
case. `notify` makes an inbox item and a live update of it. It is none of the event types that a subscription
may name: nothing outside is ever told.
"""

from __future__ import annotations

from collections.abc import Collection

from .access import keys_of
from .caller import Caller
from .messages import EventData

ACCESS_ALERT = "access.alert"
OFFICERS = frozenset({"agency_dpo", "partnership_dpo"})
"""Roles that are told, and that look into what was done."""


class AccessAlert(EventData):
    """`alert` says what happened (`glass_broken`, `glass_overdue`); `keys` are the index keys of those whom
    it concerns: `u:<user>`, or an office. Whether they may be told is asked whenever it is shown."""

    case_id: str
    alert: str
    keys: tuple[str, ...]
    actor_id: str | None = None
    agency_id: str | None = None


def office_keys(roles: Collection[str], agency_id: str) -> tuple[str, ...]:
    """The index keys of whoever has these roles in this agency: they stand for whoever holds the office when
    something is shown, so that a new officer finds what was called out before."""
    found = []
    if "agency_dpo" in roles:
        found.append(f"o:agency_dpo.{agency_id}")
    if "partnership_dpo" in roles:
        found.append("o:partnership_dpo")
    return tuple(found)


def inbox_keys(caller: Caller) -> tuple[str, ...]:
    """Under which keys something may be addressed to a caller: by name, by team, by office."""
    return (*keys_of(caller), *office_keys(caller.roles, caller.agency_id))
