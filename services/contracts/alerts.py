"""What calls the attention of people who answer for a case: its owner, and data protection officers.

sharing emits access.alert(AccessAlert), aggregate `cases/<id>`, numbered with its other events about the
case. `notify` makes an inbox item and a live update of it. It is none of the event types that a subscription
may name: nothing outside is ever told.

sharing emits access.reminder(Reminder), aggregate `reminders/<id>`, each the first and only one of its own:
of what ends or falls due, or of a way into an account, and is about no case. `notify` makes an inbox item
of it; the stream has none.
"""

from __future__ import annotations

from collections.abc import Collection

from .access import keys_of
from .caller import Caller
from .messages import EventData

ACCESS_ALERT = "access.alert"
ACCESS_REMINDER = "access.reminder"
OFFICERS = frozenset({"agency_dpo", "partnership_dpo"})
"""Roles that are told, and that look into what was done."""


class AccessAlert(EventData):
    """`alert` says what happened (`glass_broken`, `share_ends_7`); `keys` are the index keys of those whom
    it concerns: `u:<user>`, or an office. Whether they may be told is asked whenever it is shown."""

    case_id: str
    alert: str
    keys: tuple[str, ...]
    actor_id: str | None = None
    agency_id: str | None = None


class Reminder(EventData):
    """`reminder` says of what (`protocol_ends_30`, `account_tied`); `keys` as in `AccessAlert`, and they
    alone decide who is told. `object_id`: the protocol, or the user whose role or account it is."""

    reminder: str
    keys: tuple[str, ...]
    object_id: str | None = None


_OF_AN_AGENCY = ("agency_admin", "agency_dpo")
_OF_THE_PARTNERSHIP = ("partnership_dpo", "system_operator")


def office_keys(roles: Collection[str], agency_id: str) -> tuple[str, ...]:
    """The index keys of whoever has these roles in this agency: they stand for whoever holds the office when
    something is shown, so that a new officer finds what was called out before."""
    return (
        *(f"o:{one}.{agency_id}" for one in _OF_AN_AGENCY if one in roles),
        *(f"o:{one}" for one in _OF_THE_PARTNERSHIP if one in roles),
    )


def inbox_keys(caller: Caller) -> tuple[str, ...]:
    """Under which keys something may be addressed to a caller: by name, by team, by office."""
    return (*keys_of(caller), *office_keys(caller.roles, caller.agency_id))
