"""Giving a case to another owner (R37), and cases whose owner cannot act (R38).

sharing.list_transfers(ListTransfers) -> TransferPage      query; GET /cases/{id}/transfers
sharing.offer_transfer(OfferTransfer) -> TransferView      command; POST /cases/{id}/transfers
sharing.decide_transfer(DecideTransfer) -> TransferView    command; PATCH /cases/{id}/transfers/{tid}
sharing.list_ownerless(ListOwnerless) -> OwnerlessPage     query; GET /ownerless-cases

To whom a case is offered knows of it (level `know`) until the offer is decided or lapses. Of a case that the
caller may not know of, as of an offer that is not the caller's to see: NotVisible.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from .shares import WhyText

TransferState = Literal["offered", "accepted", "declined", "cancelled", "lapsed"]
TransferWay = Literal["offer", "appointment", "deputy", "supervisor"]
"""By its owner; by an administrator, of a case without an active owner; or handed over, without being asked,
to the deputy of such an owner, or to a supervisor of the owner team."""
MOST_OWNERLESS = 10_000
"""That are counted."""


class TransferBody(Request):
    """POST /cases/{id}/transfers."""

    to_user_id: Id
    reason: WhyText


class OfferTransfer(Request):
    """One offer at a time. Raises NotOwner; InvalidTransition while another stands; Invalid and its kinds at
    `/to_user_id`: not_available, already_owner, perpetrators_side, agency_not_active,
    purpose_not_in_protocol, gateway_not_for_recipient. To an administrator not_available, whatever it is that
    the case has against somebody."""

    case_id: Id
    transfer: TransferBody


class TransferDecision(Request):
    """PATCH …/transfers/{tid}. The addressee accepts or declines, saying why it declines; who offered it, or
    the owner, takes it back (`cancelled`). `team_id`: one of the addressee's own teams, which becomes the
    owner team when it accepts; none: no colleague has the case."""

    state: Literal["accepted", "declined", "cancelled"]
    reason: WhyText | None = None
    team_id: Id | None = None


class DecideTransfer(Request):
    """Raises NotOwner; InvalidTransition of one that is decided or has lapsed; Invalid."""

    case_id: Id
    transfer_id: Id
    decision: TransferDecision


class ListTransfers(PageRequest):
    """The owner's list has the open offer and all that were decided, the newest first; the addressee's the
    one that is its to decide."""

    case_id: Id


class Holder(Reply):
    """A person with the agency for which it has, or would have, the case."""

    user: Ref
    agency: Ref


class TransferView(View):
    """`owner`: whose the case was. `by` is null where nobody offered it, but the owner could not act;
    `decided_by` is null where the time had run out, or nobody was asked. What it rests on (`protocol_id`,
    `purpose`, `legal_gateway`) is there where it goes to another agency."""

    id: str
    case_id: str
    state: TransferState
    way: TransferWay
    owner: Holder
    to: Holder
    by: Ref | None
    reason: str
    created_at: Moment
    updated_at: Moment
    lapses_at: Moment
    protocol_id: str | None = None
    purpose: str | None = None
    legal_gateway: str | None = None
    decided_by: Ref | None = None
    decided_at: Moment | None = None
    decision_reason: str | None = None


class TransferPage(View):
    items: tuple[TransferView, ...]
    next: str | None


class ListOwnerless(PageRequest):
    """Of the caller's own agency, the longest without an owner first."""


class OwnerlessCase(Reply):
    """No content (R39): the id alone, since when, who was its owner, and whether somebody is asked to take
    it."""

    case_id: str
    since: Moment
    owner: Ref
    offered: bool


class OwnerlessPage(View):
    """`count`: of all, `MOST_OWNERLESS` at most."""

    items: tuple[OwnerlessCase, ...]
    next: str | None
    count: Annotated[int, Field(ge=0)]
