"""Shares of a case: who is given what, under which protocol, until when; and who can see the case and why.

sharing.share_case(ShareCase) -> ShareView          command; POST /cases/{id}/shares
sharing.check_share(CheckShare) -> ShareChecked     query; the same judgement, nothing stored
sharing.list_shares(ListShares) -> SharePage        query
sharing.get_share(GetShare) -> ShareView            query
sharing.change_share(ChangeShare) -> ShareView      command; PATCH with If-Match
sharing.revoke_share(RevokeShare) -> Empty          command; DELETE, in effect when it is answered
sharing.list_access(ListAccess) -> AccessPage       query; GET /cases/{id}/access

Of a case that the caller may not know of, as of a share that does not name it: NotVisible.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ..access import ShareKind, Via
from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import Section, ShareLevel, ShareState, Side

Regime = Literal["part3", "uk_gdpr"]
"""DPA 2018 Part 3, or UK GDPR with Part 2: which one the recipient holds the data under."""
RevokeReason = Literal["no_longer_needed", "wrong_recipient", "case_closed", "other"]
ConsentState = Literal["given", "refused", "not_sought"]
IfMatch = Annotated[str, StringConstraints(max_length=512)]

MOST_SHARES = 100
"""That a case can have at one time."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=120)]
"""Of a purpose or a legal gateway: as the protocol in force has it."""
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
WhyText = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Sections = Annotated[tuple[Section, ...], Field(max_length=9)]


class Member(Request):
    """One who is given access: exactly one of a person, a team, a client."""

    user_id: Id | None = None
    team_id: Id | None = None
    client_id: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Member:
        if sum(one is not None for one in (self.user_id, self.team_id, self.client_id)) != 1:
            raise ValueError("exactly one of user_id, team_id, client_id")
        return self


Members = Annotated[tuple[Member, ...], Field(min_length=1, max_length=50)]


class Consent(Request):
    """Of those whom the case is about. `reason` is wanted unless consent was given."""

    state: ConsentState
    reason: WhyText | None = None


class ShareBody(Request):
    """POST /cases/{id}/shares. Sections may be empty below level read."""

    agency_id: Id
    members: Members
    level: ShareLevel
    sections: Sections
    purpose: Code
    protocol_id: Id
    legal_gateway: Code
    consent: Consent
    side: Side | None = None
    expires_at: Moment
    note: Note | None = None


class ShareCase(Request):
    """Raises NotOwner; Invalid and its kinds, with pointers into the body."""

    case_id: Id
    share: ShareBody


class CheckShare(Request):
    case_id: Id
    share: ShareBody


class ListShares(PageRequest):
    """The owner's list has all, the revoked too; a recipient's those of its own agency that name it."""

    case_id: Id


class GetShare(Request):
    case_id: Id
    share_id: Id


class ShareChange(Request):
    """PATCH. The owner may change everything but the agency; `state` "revoked" with a reason ends the share:
    a recipient may do that and nothing else (it hands back). `reason` goes with `state` only."""

    members: Members | None = None
    level: ShareLevel | None = None
    sections: Sections | None = None
    purpose: Code | None = None
    protocol_id: Id | None = None
    legal_gateway: Code | None = None
    consent: Consent | None = None
    side: Side | None = None
    expires_at: Moment | None = None
    note: Note | None = None
    state: Literal["revoked"] | None = None
    reason: WhyText | None = None

    @model_validator(mode="after")
    def _null_where_it_means_something(self) -> ShareChange:
        if any(getattr(self, name) is None for name in self.model_fields_set - {"side", "note"}):
            raise ValueError("only side and note can be taken away")
        return self


class ChangeShare(Request):
    """Raises IfMatchRequired, Stale, InvalidTransition (of one that is not there any more), NotOwner."""

    case_id: Id
    share_id: Id
    if_match: IfMatch | None = None
    change: ShareChange


class RevokeShare(Request):
    """Of a share that was revoked already: nothing, again."""

    case_id: Id
    share_id: Id
    reason: RevokeReason = "other"


class MemberView(Reply):
    """As `Member`, with only the one that is meant."""

    user_id: str | None = None
    team_id: str | None = None
    client_id: str | None = None


class Named(Reply):
    """A member by name. `available`: it could open the case now, as far as its account goes."""

    kind: Literal["user", "team", "client"]
    id: str
    name: str
    available: bool
    because: str | None = None


class ConsentView(Reply):
    """The reason is the owner's to see. `confirm_by`: the case has a new owner, who confirms it by then
    (PATCH with `consent`); else the share is suspended until it is."""

    state: ConsentState
    reason: str | None = None
    confirm_by: Moment | None = None


class Terms(View):
    """What is granted. Of the owner's own team (`kind` team) purpose, protocol, gateway, consent and expiry
    are null: it rests on no protocol."""

    kind: ShareKind
    agency_id: str
    agency: Ref
    members: tuple[MemberView, ...]
    who: tuple[Named, ...]
    level: ShareLevel
    sections: tuple[Section, ...]
    purpose: str | None
    protocol_id: str | None
    legal_gateway: str | None
    consent: ConsentView | None
    side: Side | None = None
    expires_at: Moment | None
    note: str | None = None
    regime: Regime


class ShareChecked(Terms):
    """What would be granted."""


class Revocation(Reply):
    """How a share ended."""

    at: Moment
    by: Ref
    agency: Ref
    reason: str


class ShareView(Terms):
    """One share. `suspended`: an agency or the protocol is not in force now, or consent is not confirmed."""

    id: str
    case_id: str
    state: ShareState
    granted_by: Ref
    granted_at: Moment
    created_at: Moment
    updated_at: Moment
    revoked: Revocation | None = None


class SharePage(View):
    """Those in force first, newest first, then those that were revoked, newest first."""

    items: tuple[ShareView, ...]
    next: str | None


class ListAccess(PageRequest):
    """For the owner."""

    case_id: Id


class Who(Reply):
    """A person or a client; `team` if it is named through one (an owner's: the owner team)."""

    kind: Literal["user", "client"]
    id: str
    name: str
    agency: Ref
    team: Ref | None = None


class Clause(Reply):
    """Of which protocol, and which purpose in it."""

    id: str
    clause: str


class AccessItem(Reply):
    """One way in which one person can see the case. `now` blocked: it could not at this moment, for
    `blocked_by` (agency_suspended, protocol_not_active, protocol_expired, account_disabled,
    procedure_unsigned, procedure_missing, role_required, share_expired, …)."""

    who: Who
    via: Via
    share_id: str | None = None
    level: ShareLevel
    sections: tuple[Section, ...]
    purpose: str | None
    protocol: Clause | None
    legal_gateway: str | None
    procedure_version: int | None
    since: Moment
    until: Moment | None
    now: Literal["open", "blocked"]
    blocked_by: str | None = None


class AccessPage(View):
    items: tuple[AccessItem, ...]
    next: str | None
