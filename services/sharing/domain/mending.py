"""One case of a `sharing` that was put back too old, beside the list that its holder has. Pure.

Where the holder's list is not older the narrower of the two wins: what was ended since stays ended, and what
was given since has to be given anew, for only `sharing` knew on what it rested. The owner is the holder's,
with the owner's own team: a case without one there must not be (R38).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.contracts.access import AccessList, Share
from services.contracts.paging import Ref
from services.contracts.sharing.shares import Regime
from services.contracts.vocabulary import LEVELS
from services.sharing.domain.ownership import Conflict, Ending, Grant, Ownership, PastGrant

RESTORED = "restored"
"""Why a share ended, where this ended it."""
BY = Ref(id="sharing", name="Concordat")
What = Literal[
    "owner_regained",
    "owner_changed",
    "share_ended",
    "share_narrowed",
    "share_lost",
    "conflict_kept",
    "offer_ended",
    "holder_missing",
    "list_unreadable",
]
"""`share_lost`: given since, and to be given anew; `holder_missing`: `cases` has not got this case;
`list_unreadable`: what it has is damaged."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is otherwise than in the copy: ids alone. `id` is of the user or the share."""

    what: What
    id: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`heard`: the highest number of an event about the case that anybody has had. `regime`: of the owner's
    own team. `people`: with their agencies, as the copy knows them."""

    term: int
    now: datetime
    opened_at: datetime
    heard: int
    regime: Regime
    people: Mapping[str, tuple[Ref, Ref]]
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Mended:
    """`agencies`: everyone concerned, then or now."""

    after: Ownership
    past: tuple[PastGrant, ...]
    told: tuple[Told, ...]
    agencies: frozenset[str]


def mend(copy: Ownership | None, held: AccessList, facts: Facts) -> Mended:
    """The ownership in the new term, under an epoch that neither has used."""
    if copy is None:
        return _regained(held, facts)
    if held.version < copy.acl.version:  # the holder had not heard of the copy's last change yet
        return Mended(_renewed(copy, held.epoch, facts), (), (), _agencies(copy, held))
    changed = copy.owner.user.id != held.owner.user.id
    kept, past, told = _grants(copy, held, facts)
    if changed:
        told.insert(0, Told("owner_changed", held.owner.user.id))
        kept += [one for one in _own_team(held, facts.now, facts) if copy.grant(one.id) is None]
    back = {one.id for one in kept}
    told += [
        Told("share_lost", one.id)
        for one in held.shares
        if one.kind != "offer" and one.id not in back and copy.grant(one.id) is None
    ]
    conflicts = _conflicts(copy.conflicts, held, facts)
    told += [Told("conflict_kept", one.user.id) for one in conflicts[len(copy.conflicts) :]]
    offer = copy.transfer
    if offer is not None and not any(one.id == offer.id for one in held.shares):
        told.append(Told("offer_ended", offer.id))
        offer = None
    update = {
        "owner": held.owner,
        "grants": tuple(kept),
        "conflicts": conflicts,
        "transfer": offer,
        "ownerless_since": None if changed else copy.ownerless_since,
    }
    after = _renewed(copy.model_copy(update=update), held.epoch, facts)
    return Mended(after, tuple(past), tuple(told), _agencies(copy, held))


def unread(copy: Ownership | None, left: AccessList, facts: Facts) -> Mended:
    """The holder's list is damaged, and `left` has no more than whose the case is: nobody knows what was
    taken away since the copy was made, so all that was given ends, and has to be given anew."""
    if copy is not None:
        left = left.model_copy(update={"term": copy.term, "epoch": copy.epoch})
    bare = mend(copy, left, facts)
    return replace(bare, told=(Told("list_unreadable", left.case_id), *bare.told))


def unheld(copy: Ownership, term: int, heard: int) -> Mended:
    """A registration that came to nothing (yet), or a case that the holder has lost."""
    told = (Told("holder_missing", copy.case_id),) if copy.confirmed else ()
    update = {"term": term, "epoch": copy.epoch + 1, "events": max(copy.events, heard)}
    after = copy.model_copy(update=update)
    return Mended(after, (), told, _agencies(copy, copy.acl))


def _regained(held: AccessList, facts: Facts) -> Mended:
    team = _own_team(held, facts.opened_at, facts)
    back = {one.id for one in team}
    told = [Told("owner_regained", held.owner.user.id)]
    told += [
        Told("offer_ended" if one.kind == "offer" else "share_lost", one.id)
        for one in held.shares
        if one.id not in back
    ]
    after = Ownership(
        case_id=held.case_id,
        term=facts.term,
        epoch=held.epoch + 1,
        events=facts.heard,
        owner=held.owner,
        grants=tuple(team),
        conflicts=_conflicts((), held, facts),
        registered_at=facts.opened_at,
        confirmed=True,
    )
    return Mended(after, (), tuple(told), _agencies(after, held))


def _renewed(ownership: Ownership, epoch: int, facts: Facts) -> Ownership:
    return ownership.model_copy(
        update={
            "term": facts.term,
            "epoch": max(ownership.epoch, epoch) + 1,
            "events": max(ownership.events, facts.heard),
            "confirmed": True,
        }
    )


def _grants(
    copy: Ownership, held: AccessList, facts: Facts
) -> tuple[list[Grant], list[PastGrant], list[Told]]:
    """What is in both, as narrow as the narrower; what ended; what was done."""
    by_id = {one.id: one for one in held.shares}
    kept, past, told = list[Grant](), list[PastGrant](), list[Told]()
    for grant in copy.grants:
        beside = by_id.get(grant.id)
        after = None if beside is None else narrower(grant, beside, facts.now)
        if after is None:
            past.append(_past(copy, grant, facts.now))
            told.append(Told("share_ended", grant.id))
            continue
        kept.append(after)
        if after != grant:
            told.append(Told("share_narrowed", grant.id))
    return kept, past, told


def _past(copy: Ownership, grant: Grant, now: datetime) -> PastGrant:
    if grant.expires_at is not None and grant.expired(now):
        return PastGrant(case_id=copy.case_id, grant=grant, ended_at=grant.expires_at)
    ending = Ending(at=now, by=BY, agency=copy.owner.agency, reason=RESTORED)
    return PastGrant(case_id=copy.case_id, grant=grant, ending=ending, ended_at=now)


def narrower(grant: Grant, held: Share, now: datetime) -> Grant | None:
    """What both of them give; None: that is nothing, or they do not rest on the same."""
    if _ground(grant.share()) != _ground(held):
        return None
    update: dict[str, object] = {
        "user_ids": tuple(one for one in grant.user_ids if one in held.user_ids),
        "team_ids": tuple(one for one in grant.team_ids if one in held.team_ids),
        "client_ids": tuple(one for one in grant.client_ids if one in held.client_ids),
        "level": min(grant.level, held.level, key=LEVELS.index),
        "sections": tuple(one for one in grant.sections if one in held.sections),
        # Whoever is on the perpetrator's side by either is barred from the victim's sections.
        "side": "perpetrator" if "perpetrator" in (grant.side, held.side) else grant.side,
    }
    if held.expires_at is not None and (grant.ends_at is None or held.expires_at < grant.ends_at):
        update["expires_at"] = held.expires_at
    if all(getattr(grant, name) == value for name, value in update.items()):
        return grant
    after = grant.model_copy(update={**update, "updated_at": now})
    empty = grant.sections and not after.sections
    return None if empty or not after.members() else after


def _ground(share: Share) -> tuple[str | None, ...]:
    return share.kind, share.agency_id, share.protocol_id, share.purpose


def _own_team(held: AccessList, since: datetime, facts: Facts) -> list[Grant]:
    """The owner's own team rests on no protocol: all of its share is in the list."""
    return [
        Grant(
            **{name: getattr(one, name) for name in _TEAMS},
            agency=held.owner.agency,
            regime=facts.regime,
            granted_by=held.owner.user,
            granted_at=since,
            updated_at=facts.now,
        )
        for one in held.shares
        if one.kind == "team" and one.agency_id == held.owner.agency.id
    ]


_TEAMS = ("id", "kind", "user_ids", "team_ids", "client_ids", "level", "sections", "side", "expires_at")


def _conflicts(copy: tuple[Conflict, ...], held: AccessList, facts: Facts) -> tuple[Conflict, ...]:
    """Those of the copy, then those that the holder alone knows of: why they are, nobody knows any more."""
    there = {one.user.id for one in copy}
    more = []
    for user_id in held.excluded:
        if user_id in there:
            continue
        user, agency = facts.people.get(user_id, (Ref(id=user_id, name="-"), held.owner.agency))
        more.append(
            Conflict(
                id=facts.new_id(),
                user=user,
                agency=agency,
                kind="other",
                reason="Declared before an older copy was restored. What was said of it then is lost.",
                declared_by=BY,
                declared_at=facts.now,
            )
        )
    return (*copy, *more)


def _agencies(copy: Ownership, held: AccessList) -> frozenset[str]:
    lists = (copy.acl, held)
    return frozenset(
        (*(one.owner.agency.id for one in lists), *(share.agency_id for one in lists for share in one.shares))
    )
