"""What the change of a share does to those it concerns, and how a share stands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from services.contracts.access import Owner
from services.contracts.vocabulary import LEVELS, ShareState

if TYPE_CHECKING:
    from services.sharing.domain.ownership import Grant


def widens(before: Grant, after: Grant) -> bool:
    """Whether somebody could see something by `after` that nobody could by `before`, or on other grounds."""
    return (
        not after.members() <= before.members()
        or not set(after.sections) <= set(before.sections)
        or LEVELS.index(after.level) > LEVELS.index(before.level)
        or _end(after) > _end(before)
        or (before.side == "perpetrator" and after.side != "perpetrator")
        or _grounds(after) != _grounds(before)
    )


def narrows(before: Grant | None, after: Grant) -> bool:
    """Whether somebody may lose something. In doubt it is so: a fence that stays an hour harms nobody."""
    if before is None:
        # Whoever is put on the perpetrator's side loses the victim's sections of other shares.
        return after.side == "perpetrator"
    return (
        not before.members() <= after.members()
        or not set(before.sections) <= set(after.sections)
        or LEVELS.index(after.level) < LEVELS.index(before.level)
        or _end(after) < _end(before)
        or before.side != after.side
        # New members of a share on the perpetrator's side lose by it.
        or (after.side == "perpetrator" and before.members() != after.members())
        or _grounds(after) != _grounds(before)
    )


def _grounds(grant: Grant) -> tuple[str | None, ...]:
    return grant.protocol_id, grant.purpose, grant.legal_gateway


def _end(grant: Grant) -> float:
    return float("inf") if grant.ends_at is None else grant.ends_at.timestamp()


def state_of(
    grant: Grant,
    owner: Owner,
    now: datetime,
    *,
    inactive_agencies: Collection[str],
    inactive_protocols: Collection[str],
) -> ShareState:
    """Of a share that was not revoked. Suspended: in date, but an agency or the protocol is not in force, or
    consent was not confirmed to a new owner."""
    if grant.expired(now):
        return "expired"
    if grant.agency.id in inactive_agencies or owner.agency.id in inactive_agencies or grant.unconfirmed(now):
        return "suspended"
    return "suspended" if grant.protocol_id in inactive_protocols else "active"
