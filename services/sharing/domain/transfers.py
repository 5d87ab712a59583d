"""Giving a case to another owner: to whom it may go, and what becomes of its shares (R37).

The former owner loses everything at once, and its agency keeps nothing that rested on its owning the case.
Shares with others stay, if the new owner's agency is party to what they rest on; where they rest on consent,
it has to be confirmed to the new owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.contracts.access import Owner
from services.contracts.errors import (
    AgencyNotActive,
    FieldError,
    GatewayNotForRecipient,
    Invalid,
    PurposeNotInProtocol,
)
from services.contracts.paging import Ref
from services.contracts.permissions.permit import CASEWORKERS
from services.contracts.sharing.transfers import TransferState
from services.contracts.vocabulary import SECTIONS
from services.sharing.domain.known import Known, Today
from services.sharing.domain.offers import Ground, Offer, Transfer
from services.sharing.domain.ownership import Change, Ending, Grant, Ownership, PastGrant
from services.sharing.domain.protocols import Protocol
from services.sharing.domain.regime import regime_of

OWNER_CHANGED = "owner_changed"
"""Why a share ended, in the list of shares that are no more."""
_OF_AGENCIES = frozenset({"agency_suspended", "protocol_expired", "protocol_not_active"})


def fit(known: Known | None, ownership: Ownership) -> bool:
    """Whether somebody can be given this case: an active caseworker who may know of it."""
    return (
        known is not None
        and known.kind == "user"
        and known.active
        and not CASEWORKERS.isdisjoint(known.roles)
        and known.id not in ownership.acl.excluded
        and not on_perpetrators_side(known, ownership)
    )


def on_perpetrators_side(known: Known, ownership: Ownership) -> bool:
    """An owner sees the victim's sections, so nobody becomes one whom a share puts on that side."""
    return any(
        grant.side == "perpetrator"
        and grant.agency.id == known.agency.id
        and (known.id in grant.user_ids or not set(grant.team_ids).isdisjoint(known.team_ids))
        for grant in ownership.grants
    )


def check_taker(
    known: Known | None,
    ownership: Ownership,
    protocols: Iterable[Protocol],
    today: Today,
    *,
    appointing: bool = False,
) -> Ground | None:
    """On what ground somebody could take this case; None: it stays in the agency. Raises Invalid and its
    kinds, at `/to_user_id`. Who is excluded is like one who is not there. So is whoever is on the
    perpetrator's side to an administrator (`appointing`), who may not know of the shares of the case."""
    owner = ownership.owner
    if known is None or known.kind != "user" or known.id in ownership.acl.excluded:
        raise _wrong(Invalid, "not_available", "This person cannot take a case.")
    if (known.id, known.agency.id) == (owner.user.id, owner.agency.id):
        raise _wrong(Invalid, "already_owner", "This person is the owner.")
    recipient = today.on.standing.agencies.get(known.agency.id)
    if recipient is None or recipient.type == "operator" or known.agency.id in today.on.inactive_agencies:
        raise _wrong(AgencyNotActive, AgencyNotActive.code, "The agency is not active.")
    if not appointing and on_perpetrators_side(known, ownership):
        raise _wrong(Invalid, "perpetrators_side", "This person works for the perpetrator's side.")
    if not fit(known, ownership):
        raise _wrong(Invalid, "not_available", "This person cannot take a case.")
    if known.agency.id == owner.agency.id:
        return None
    return _ground(known.agency.id, recipient.type, owner, protocols, today)


def _ground(agency_id: str, kind: str, owner: Owner, protocols: Iterable[Protocol], today: Today) -> Ground:
    """The one of the protocol that lasts longest; by the facts that shares are judged by (`terms`)."""
    both = {agency_id, owner.agency.id}
    in_force = [one for one in protocols if one.in_force(today.on.today) and both <= set(one.parties)]
    if not in_force:
        raise _wrong(
            PurposeNotInProtocol, PurposeNotInProtocol.code, "No protocol in force has both agencies."
        )
    for protocol in sorted(in_force, key=lambda one: (one.ends_on, one.id), reverse=True):
        for purpose in protocol.purposes:
            for gateway in purpose.legal_gateways:
                if kind in gateway.recipient_types:
                    return Ground(
                        protocol_id=protocol.id,
                        purpose=purpose.code,
                        clause=purpose.name,
                        legal_gateway=gateway.code,
                    )
    raise _wrong(
        GatewayNotForRecipient, GatewayNotForRecipient.code, "No gateway runs to this kind of agency."
    )


def _wrong(kind: type[Invalid], code: str, detail: str) -> Invalid:
    return kind(errors=(FieldError("/to_user_id", code, detail),))


def ways_in(ownership: Ownership) -> tuple[Grant, ...]:
    """The shares, and what lets the addressee of an offer know of the case, as if it were one."""
    offer = ownership.transfer
    if offer is None:
        return ownership.grants
    way = Grant(
        **offer.share().model_dump(exclude={"agency_id", "kind"}),
        kind="share",
        agency=offer.agency,
        clause=offer.ground.clause if offer.ground else None,
        legal_gateway=offer.ground.legal_gateway if offer.ground else None,
        regime="uk_gdpr",  # shown nowhere: it is no share
        granted_by=offer.by or offer.owner.user,
        granted_at=offer.at,
        updated_at=offer.at,
    )
    return (*ownership.grants, way)


def offered(ownership: Ownership, offer: Offer) -> Change:
    """The case with this offer. One that lapsed before is decided with it: there is one at a time."""
    former = ownership.transfer
    lapsed = None
    if former is not None:
        lapsed = Transfer(
            case_id=ownership.case_id,
            offer=former,
            state="lapsed",
            by=None,
            reason=None,
            at=former.lapses_at,
        )
    agencies = {ownership.owner.agency.id, offer.agency.id, *([former.agency.id] if former else ())}
    narrowing = former is not None
    return _changed(ownership, {"transfer": offer}, agencies, narrowing=narrowing, decided=lapsed)


def ended(
    ownership: Ownership, state: TransferState, by: Ref | None, reason: str | None, now: datetime
) -> Change:
    """The case without its offer, which came to nothing: its addressee does not know of it any more."""
    offer = ownership.transfer
    assert offer is not None
    decided = Transfer(case_id=ownership.case_id, offer=offer, state=state, by=by, reason=reason, at=now)
    agencies = {ownership.owner.agency.id, offer.agency.id}
    return _changed(ownership, {"transfer": None}, agencies, narrowing=True, decided=decided)


@dataclass(frozen=True, slots=True)
class Taking:
    """How a case is taken over. `by` None: nobody was asked. `team`: the new owner team, which gets a share
    of its own unless it has one. `parties`: of each protocol that a share rests on. `confirm_by`: see
    `Grant`."""

    offer: Offer
    by: Ref | None
    reason: str | None
    team: Ref | None
    parties: Mapping[str, Collection[str]]
    confirm_by: datetime
    share_id: str
    now: datetime


def taken_over(ownership: Ownership, taking: Taking, today: Today) -> Change:
    """The case with its new owner. Whoever loses by it is fenced; so is everybody else: dates change too."""
    before, offer, now = ownership.owner, taking.offer, taking.now
    owner = Owner(user=offer.to, agency=offer.agency, team=taking.team)
    kept: list[Grant] = []
    past: list[PastGrant] = []
    ending = Ending(at=now, by=taking.by or offer.to, agency=offer.agency, reason=OWNER_CHANGED)
    for grant in ownership.grants:
        after = _after(grant, before, owner, taking)
        if after is None:
            past.append(PastGrant(case_id=ownership.case_id, grant=grant, ending=ending, ended_at=now))
        else:
            kept.append(after)
    if taking.team is not None and not any(_of_team(one, taking.team) for one in kept):
        kept.append(_team_share(owner, taking, today))
    decided = Transfer(
        case_id=ownership.case_id,
        offer=offer,
        state="accepted",
        by=taking.by,
        reason=taking.reason,
        at=now,
    )
    agencies = {before.agency.id, owner.agency.id, *(one.agency.id for one in ownership.grants)}
    if ownership.transfer is not None:
        agencies.add(ownership.transfer.agency.id)
    update = {"owner": owner, "grants": tuple(kept), "transfer": None, "ownerless_since": None}
    return _changed(ownership, update, agencies, narrowing=True, decided=decided, past=tuple(past))


def _after(grant: Grant, before: Owner, owner: Owner, taking: Taking) -> Grant | None:
    """A share once the case has its new owner; None: it ends with the former one."""
    if grant.kind == "team":
        # Nobody gave the case away: to colleagues of one who cannot act any more it stays open.
        return grant if taking.by is None else None
    if grant.kind != "share":
        return grant
    others = tuple(one for one in grant.user_ids if one != before.user.id)
    if not (others or grant.team_ids or grant.client_ids) or _falls(grant, before, owner, taking):
        return None
    update: dict[str, Any] = {} if others == grant.user_ids else {"user_ids": others}
    if grant.consent is not None and grant.consent.state == "given" and not grant.expired(taking.now):
        # Who had not confirmed it yet passes on the day by which it had to be.
        update["confirm_by"] = min(grant.confirm_by or taking.confirm_by, taking.confirm_by)
    return grant.model_copy(update={**update, "updated_at": taking.now}) if update else grant


def _falls(grant: Grant, before: Owner, owner: Owner, taking: Taking) -> bool:
    """Whether a share cannot go on under another agency: it was for the former owner's, or rests on a
    protocol that the new one is not party to."""
    if before.agency.id == owner.agency.id:
        return False
    parties = taking.parties.get(grant.protocol_id or "", ())
    return grant.agency.id == before.agency.id or owner.agency.id not in parties


def _of_team(grant: Grant, team: Ref) -> bool:
    return grant.kind == "team" and team.id in grant.team_ids


def _team_share(owner: Owner, taking: Taking, today: Today) -> Grant:
    assert owner.team is not None
    agency = today.on.standing.agencies[owner.agency.id]
    return Grant(
        id=taking.share_id,
        kind="team",
        agency=owner.agency,
        team_ids=(owner.team.id,),
        level="contribute",
        sections=SECTIONS,
        regime=regime_of(agency.type, None),
        granted_by=owner.user,
        granted_at=taking.now,
        updated_at=taking.now,
    )


def successor(
    ownership: Ownership, deputy: Known | None, supervisors: Iterable[Known]
) -> tuple[Known, Literal["deputy", "supervisor"]] | None:
    """Who is given the case of an owner who cannot act, and as what: the deputy, else the first supervisor of
    the owner team, both of the owner's own agency."""
    agency_id = ownership.owner.agency.id
    if deputy is not None and deputy.agency.id == agency_id and fit(deputy, ownership):
        return deputy, "deputy"
    for one in sorted(supervisors, key=lambda one: one.id):
        if one.agency.id == agency_id and "supervisor" in one.roles and fit(one, ownership):
            return one, "supervisor"
    return None


def cannot_act(known: Known | None) -> bool:
    """Whether an owner cannot act any more: disabled, or without a caseworker's role. While the agency is not
    in force nobody in it can act, and nothing is decided for them."""
    if known is None or known.because in _OF_AGENCIES:
        return False
    return known.account == "account_disabled" or CASEWORKERS.isdisjoint(known.roles)


def _changed(
    ownership: Ownership,
    update: Mapping[str, Any],
    agencies: Iterable[str],
    *,
    narrowing: bool,
    decided: Transfer | None,
    past: tuple[PastGrant, ...] = (),
) -> Change:
    following = {"epoch": ownership.epoch + 1, "events": ownership.events + 1}
    after = ownership.model_copy(update={**update, **following})
    return Change(ownership.epoch, after, narrowing, frozenset(agencies), past, decided)
