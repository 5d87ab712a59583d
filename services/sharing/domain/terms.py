"""Whether what an owner wants to give may be given: protocol, purpose, gateway, members, dates, sides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.contracts.access import NEVER_PERPETRATOR, Owner
from services.contracts.errors import (
    AgencyNotActive,
    CannotBeNamed,
    ConsentReasonRequired,
    ExpiryBeyondProtocol,
    FieldError,
    GatewayNotForRecipient,
    Invalid,
    MemberNotInAgency,
    PurposeNotInProtocol,
    SectionNotForSide,
)
from services.contracts.paging import Ref
from services.contracts.sharing.protocols import LegalGateway, Purpose
from services.contracts.sharing.shares import Consent, Member, ShareBody
from services.contracts.vocabulary import LEVELS, SECTIONS, AgencyType, Section
from services.sharing.domain.london import LONDON
from services.sharing.domain.ownership import Grant
from services.sharing.domain.protocols import Protocol
from services.sharing.domain.regime import regime_of
from services.sharing.domain.standing import StandingOn

_Problem = tuple[type[Invalid], str, str]
"""Which error, at which field, in a sentence."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a proposal is judged by. `members`: index key to agency, of those who can be given access now.
    `excluded`: users under a conflict of interest, whom nothing may name."""

    owner: Owner
    standing: StandingOn
    protocol: Protocol | None
    members: Mapping[str, str]
    now: datetime
    excluded: frozenset[str] = frozenset()

    def type_of(self, agency_id: str) -> AgencyType | None:
        agency = self.standing.standing.agencies.get(agency_id)
        return None if agency is None else agency.type


def check_terms(body: ShareBody, facts: Facts, known: Collection[str] = ()) -> str:
    """Raises Invalid or one of its kinds, with every field that is wrong; gives the protocol's clause.

    `known` members are not judged.
    """
    _refuse([*_law(body, facts), *_members(body, facts, known), *_dates(body, facts), *_form(body)])
    purpose = _purpose(body, facts)
    assert purpose is not None
    return purpose.name


def check_form(body: ShareBody) -> None:
    """What has to hold of any terms, also of those that only take something away."""
    _refuse([*_form(body)])


def _refuse(problems: list[_Problem]) -> None:
    if not problems:
        return
    kind = problems[0][0]
    raise kind(errors=tuple(FieldError(pointer, one.code, detail) for one, pointer, detail in problems))


def _form(body: ShareBody) -> Iterator[_Problem]:
    if body.consent.state != "given" and body.consent.reason is None:
        yield ConsentReasonRequired, "/consent/reason", "Say why it is shared without consent."
    if body.side == "perpetrator" and not NEVER_PERPETRATOR.isdisjoint(body.sections):
        yield SectionNotForSide, "/sections", "Not for the perpetrator's side: victim, safe_contact."
    if not body.sections and LEVELS.index(body.level) >= LEVELS.index("read"):
        yield Invalid, "/sections", "Name at least one section."


def _law(body: ShareBody, facts: Facts) -> Iterator[_Problem]:
    recipient = facts.type_of(body.agency_id)
    if recipient is None or body.agency_id in facts.standing.inactive_agencies:
        yield AgencyNotActive, "/agency_id", "The agency is not active."
        return
    if recipient == "operator":
        yield AgencyNotActive, "/agency_id", "The operator is never given access."
        return
    protocol = facts.protocol
    if protocol is None or not protocol.in_force(facts.standing.today):
        yield PurposeNotInProtocol, "/protocol_id", "There is no such protocol in force."
        return
    if not {facts.owner.agency.id, body.agency_id} <= set(protocol.parties):
        yield PurposeNotInProtocol, "/protocol_id", "Both agencies have to be party to the protocol."
        return
    purpose = _purpose(body, facts)
    if purpose is None:
        yield PurposeNotInProtocol, "/purpose", "The protocol does not have this purpose."
        return
    gateway = _gateway(body, purpose)
    if gateway is None:
        yield GatewayNotForRecipient, "/legal_gateway", "The purpose does not have this gateway."
    elif recipient not in gateway.recipient_types:
        yield GatewayNotForRecipient, "/legal_gateway", "The gateway does not run to this kind of agency."


def _purpose(body: ShareBody, facts: Facts) -> Purpose | None:
    purposes = facts.protocol.purposes if facts.protocol else ()
    return next((one for one in purposes if one.code == body.purpose), None)


def _gateway(body: ShareBody, purpose: Purpose) -> LegalGateway | None:
    return next((one for one in purpose.legal_gateways if one.code == body.legal_gateway), None)


def _members(body: ShareBody, facts: Facts, known: Collection[str]) -> Iterator[_Problem]:
    for place, member in enumerate(body.members):
        if member.user_id in facts.excluded and key_of_member(member) not in known:
            yield CannotBeNamed, f"/members/{place}", "This person cannot be named in this case."
        elif (
            key_of_member(member) not in known and facts.members.get(key_of_member(member)) != body.agency_id
        ):
            yield MemberNotInAgency, f"/members/{place}", "Not an active member of the agency."


def _dates(body: ShareBody, facts: Facts) -> Iterator[_Problem]:
    if body.expires_at <= facts.now:
        yield Invalid, "/expires_at", "This time is over."
    if facts.protocol is not None and body.expires_at > end_of(facts.protocol):
        yield ExpiryBeyondProtocol, "/expires_at", "The protocol ends before."


def end_of(protocol: Protocol) -> datetime:
    """The instant after its last day in London."""
    return datetime.combine(protocol.ends_on + timedelta(days=1), time(), LONDON)


def key_of_member(member: Member) -> str:
    """The index key: `u:`, `t:` or `c:` and the id."""
    if member.user_id is not None:
        return f"u:{member.user_id}"
    return f"t:{member.team_id}" if member.team_id is not None else f"c:{member.client_id}"


def body_of(grant: Grant) -> ShareBody:
    """The terms of a share as they would be asked for; not of the owner's own team."""
    assert grant.expires_at is not None
    assert grant.purpose is not None
    assert grant.protocol_id is not None
    assert grant.legal_gateway is not None
    return ShareBody(
        agency_id=grant.agency.id,
        members=members_of(grant),
        level=grant.level,
        sections=grant.sections,
        purpose=grant.purpose,
        protocol_id=grant.protocol_id,
        legal_gateway=grant.legal_gateway,
        consent=grant.consent or Consent(state="not_sought", reason="-"),
        side=grant.side,
        expires_at=grant.expires_at,
        note=grant.note,
    )


def members_of(grant: Grant) -> tuple[Member, ...]:
    """In the order people, teams, clients."""
    return (
        *(Member(user_id=one) for one in grant.user_ids),
        *(Member(team_id=one) for one in grant.team_ids),
        *(Member(client_id=one) for one in grant.client_ids),
    )


def ids_of(members: tuple[Member, ...]) -> dict[str, tuple[str, ...]]:
    """As a grant keeps them: each once, in the order given."""
    return {
        "user_ids": _each_once(one.user_id for one in members),
        "team_ids": _each_once(one.team_id for one in members),
        "client_ids": _each_once(one.client_id for one in members),
    }


def _each_once(ids: Iterator[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in ids if one is not None))


def in_order(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Each once, in the vocabulary's order."""
    return tuple(section for section in SECTIONS if section in sections)


def propose(body: ShareBody, facts: Facts, share_id: str, granted_by: Ref) -> Grant:
    """The share that an owner asks for. Raises Invalid and its kinds."""
    clause = check_terms(body, facts)
    recipient = facts.standing.standing.agencies[body.agency_id]
    return Grant(
        id=share_id,
        kind="share",
        agency=Ref(id=body.agency_id, name=recipient.name),
        **ids_of(body.members),
        level=body.level,
        sections=in_order(body.sections),
        side=body.side,
        protocol_id=body.protocol_id,
        purpose=body.purpose,
        clause=clause,
        legal_gateway=body.legal_gateway,
        consent=body.consent,
        expires_at=body.expires_at,
        note=body.note,
        regime=regime_of(recipient.type, body.purpose),
        granted_by=granted_by,
        granted_at=facts.now,
        updated_at=facts.now,
    )
