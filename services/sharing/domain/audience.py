"""Who can see a case and why: every way in which a person or a client is let in, one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.contracts.access import NEVER_PERPETRATOR, names, standing_of
from services.contracts.paging import Ref
from services.contracts.sharing.shares import AccessItem, Clause, Who
from services.contracts.vocabulary import SECTIONS, Template
from services.sharing.domain.known import Known, Today, caller_of
from services.sharing.domain.ownership import Grant, Ownership
from services.sharing.domain.transfers import ways_in


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: the owner's own (`grant` None), or a share's for one member. `team`: through which."""

    grant: Grant | None
    known: Known
    team: Ref | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it stands in the list: the owner first, then by share, people before clients."""
        rank = "1" if self.known.kind == "client" else "0"
        return (self.grant.id if self.grant else "", rank, self.known.id)


def ways(ownership: Ownership, known: Mapping[str, Known], members: Collection[Known]) -> list[Way]:
    """In the order of `place`. `members` are the people of every team that is named; who is no member of the
    agency any more has no way in."""
    found, owner = [*_owners_way(ownership, known)], f"u:{ownership.owner.user.id}"
    for grant in ways_in(ownership):
        # The owner has everything: what else names it opens nothing, unless it is of another agency now.
        others = (
            way
            for way in _ways(grant, known, members)
            if way.known.key != owner or way.known.agency.id != ownership.owner.agency.id
        )
        found += {way.place: way for way in others}.values()
    return sorted(found, key=lambda way: way.place)


def _owners_way(ownership: Ownership, known: Mapping[str, Known]) -> Iterator[Way]:
    owner = known.get(f"u:{ownership.owner.user.id}")
    if owner is not None:
        yield Way(None, owner, ownership.owner.team)


def _ways(grant: Grant, known: Mapping[str, Known], members: Collection[Known]) -> Iterator[Way]:
    """Through teams first: who is named in person as well stands there in person."""
    for team_id in grant.team_ids:
        team = known.get(f"t:{team_id}")
        for one in members if team else ():
            if team_id in one.team_ids and one.agency.id == grant.agency.id:
                yield Way(grant, one, Ref(id=team_id, name=team.name) if team else None)
    for key in (*(f"u:{one}" for one in grant.user_ids), *(f"c:{one}" for one in grant.client_ids)):
        found = known.get(key)
        if found is not None and found.agency.id == grant.agency.id:
            yield Way(grant, found)


def item(way: Way, ownership: Ownership, today: Today, taught: Template | None = None) -> AccessItem:
    """As the owner is shown it. Whether it is open is asked of the access rule itself. `taught`: the use of
    the case, if training is required for it."""
    one = way.known
    who: dict[str, Any] = {"kind": one.kind, "id": one.id, "name": one.name, "agency": one.agency}
    if way.team is not None:
        who["team"] = way.team
    offer = ownership.transfer
    blocked = blocked_by(way, ownership, today)
    if blocked is None and taught is not None and taught not in one.uses:
        blocked = "training_required"
    shown: dict[str, Any] = {
        "who": Who(**who),
        **(_of_owner(ownership) if way.grant is None else _of_grant(way.grant)),
        "procedure_version": one.signed,
        "now": "open" if blocked is None else "blocked",
    }
    if offer is not None and shown.get("share_id") == offer.id:
        del shown["share_id"]  # known of by an offer of the case: there is no share to look at
    if blocked is not None:
        shown["blocked_by"] = blocked
    return AccessItem(**shown)


def _of_owner(ownership: Ownership) -> dict[str, Any]:
    return {
        "via": "owner",
        "level": "manage",
        "sections": SECTIONS,
        "purpose": None,
        "protocol": None,
        "legal_gateway": None,
        "since": ownership.registered_at,
        "until": None,
    }


def _of_grant(grant: Grant) -> dict[str, Any]:
    clause = Clause(id=grant.protocol_id, clause=grant.clause or "") if grant.protocol_id else None
    barred = NEVER_PERPETRATOR if grant.side == "perpetrator" else ()
    return {
        "via": grant.kind,
        "share_id": grant.id,
        "level": grant.level,
        "sections": tuple(section for section in grant.sections if section not in barred),
        "purpose": grant.purpose,
        "protocol": clause,
        "legal_gateway": grant.legal_gateway,
        "since": grant.granted_at,
        "until": grant.expires_at,
    }


def blocked_by(way: Way, ownership: Ownership, today: Today) -> str | None:
    """Why this way is not open now; None: it is."""
    one = way.known
    if one.because is not None:
        return one.because
    if not one.works_on_cases and not one.works_on_tasks:
        return "role_required"
    if ownership.acl.excludes(one.id, one.accountable_id):
        return "conflict_of_interest"
    owner = today.on.refusal(ownership.owner.agency.id)
    return _of_this_way(way, ownership, today) if owner is None else owner.code


def _of_this_way(way: Way, ownership: Ownership, today: Today) -> str | None:
    """The same of a person against whom nothing stands else."""
    grant, caller = way.grant, caller_of(way.known, today.on, today.now)
    alone = ownership.acl.model_copy(update={"shares": (grant.share(),) if grant else ()})
    standing = standing_of(caller, alone)
    if standing is not None:
        # Who sees tasks alone is shown nothing of a case below that level.
        return None if way.known.works_on_cases or standing.reaches("task") else "level_too_low"
    if grant is None or not names(grant.share(), caller):
        return "not_a_member"
    if grant.expired(today.now):
        return "share_expired"
    return "consent_unconfirmed" if grant.unconfirmed(today.now) else _protocol(grant, today)


def _protocol(grant: Grant, today: Today) -> str:
    protocol = today.on.standing.protocols.get(grant.protocol_id or "")
    expired = protocol is not None and protocol.shown(today.on.today) == "expired"
    return "protocol_expired" if expired else "protocol_not_active"
