"""Broken glass: what it opens, for how long, how often, and who looks into it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.contracts.access import NEVER_PERPETRATOR, AccessList, Standing, names, standing_of
from services.contracts.alerts import office_keys
from services.contracts.caller import Caller
from services.contracts.messages import Moment
from services.contracts.paging import Ref
from services.contracts.sharing.glass import GlassDecided
from services.contracts.vocabulary import SECTIONS, AccessReason, AgencyType
from services.sharing.domain.ownership import Grant, Ownership
from services.sharing.domain.regime import regime_of

SEEN = tuple(section for section in SECTIONS if section != "safe_contact")
"""The sections behind the glass. Where a victim can be reached is nobody's emergency but the owner's."""
DAY = timedelta(hours=24)


class Glass(BaseModel):
    """What is kept for the review of one broken glass; its grant has the same id."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: str
    case_id: str
    user: Ref
    agency: Ref
    access_reason: AccessReason
    reason: str
    broken_at: Moment
    until: Moment
    review_by: Moment
    escalated_at: Moment | None = None
    decisions: tuple[GlassDecided, ...] = ()

    @property
    def review(self) -> Literal["open", "justified", "not_justified"]:
        return self.decisions[-1].decision if self.decisions else "open"


def broken(caller: Caller, glass_id: str, now: datetime, lasts: timedelta, kind: AgencyType) -> Grant:
    """The grant: one person, level read, no protocol. `kind` is of the caller's agency."""
    who = Ref(id=caller.id, name=caller.name or caller.id)
    return Grant(
        id=glass_id,
        kind="break_glass",
        agency=Ref(id=caller.agency_id, name=caller.agency_name or caller.agency_id),
        user_ids=(caller.id,),
        level="read",
        sections=SEEN,
        expires_at=now + lasts,
        regime=regime_of(kind, None),
        granted_by=who,
        granted_at=now,
        updated_at=now,
    )


def from_its_side(grant: Grant, caller: Caller, given: Iterable[Grant]) -> Grant:
    """Whoever was ever put on the perpetrator's side sees nothing of a victim behind the glass, either: a
    share can be handed back or run out first. `given` are the shares of the case, past ones too."""
    if not any(one.side == "perpetrator" and _names(one, caller) for one in given):
        return grant
    kept = tuple(section for section in grant.sections if section not in NEVER_PERPETRATOR)
    return grant.model_copy(update={"sections": kept})


def _names(grant: Grant, caller: Caller) -> bool:
    return grant.agency.id == caller.agency_id and names(grant.share(), caller)


def opens(acl: AccessList, grant: Grant, caller: Caller) -> Standing | None:
    """How the caller would stand with this grant; None: not even so, as for one under conflict."""
    return standing_of(caller, acl.model_copy(update={"shares": (*acl.shares, grant.share())}))


def in_force(ownership: Ownership, caller: Caller, now: datetime) -> Grant | None:
    """The glass that the caller has broken already."""
    return next(
        (
            one
            for one in ownership.grants
            if one.kind == "break_glass"
            and one.user_ids == (caller.id,)
            and one.agency.id == caller.agency_id
            and not one.expired(now)
        ),
        None,
    )


def wait(broken_at: Sequence[datetime], most: int, now: datetime) -> int | None:
    """Seconds until another may be broken; None: now. Counted over any 24 hours, of all cases together."""
    recent = sorted(at for at in broken_at if at > now - DAY)
    if len(recent) < most:
        return None
    return max(1, int((recent[-most] + DAY - now).total_seconds()) + 1)


def reviews(caller: Caller, acl: AccessList) -> bool:
    """Whether the caller answers for the case: its owner, or an officer, unless under conflict itself."""
    if caller.kind != "user" or caller.id in acl.excluded or caller.agency_id in caller.inactive_agencies:
        return False
    owner = acl.owner
    if (caller.id, caller.agency_id) == (owner.user.id, owner.agency.id):
        return True
    return not set(office_keys(caller.roles, caller.agency_id)).isdisjoint(officers(acl))


def officers(acl: AccessList) -> tuple[str, ...]:
    """The index keys of the officers who answer for a case: of the owner's agency, and the partnership's."""
    return office_keys(("agency_dpo", "partnership_dpo"), acl.owner.agency.id)


def called(acl: AccessList) -> tuple[str, ...]:
    """The index keys of all who are told at once when glass is broken."""
    return (f"u:{acl.owner.user.id}", *officers(acl))
