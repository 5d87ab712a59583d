"""Information sharing protocols: between whom, for what, by which legal gateway, until when (R9).

sharing.create_protocol(CreateProtocol) -> ProtocolView    command; POST /protocols
sharing.list_protocols(ListProtocols) -> ProtocolPage      query: those the caller's agency is party to
sharing.get_protocol(GetProtocol) -> ProtocolView          query
sharing.patch_protocol(PatchProtocol) -> ProtocolView      command; PATCH with If-Match; also renewal
sharing.move_protocol(MoveProtocol) -> ProtocolView        command; POST /protocols/{id}/transitions
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import AgencyType, Name
from .agencies import IfMatch, ReasonText

ProtocolState = Literal["draft", "signed", "active", "expired", "ended"]
"""`expired` comes by itself the day after `ends_on` (Europe/London), and goes with a later `ends_on`."""
Code = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Email = Annotated[
    str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", strip_whitespace=True)
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Parties = Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]
Categories = Annotated[tuple[Code, ...], Field(max_length=50)]


class LegalGateway(Request):
    """A power under which data may go to these types of agency (CDA 1998 s115: relevant authorities)."""

    code: Code
    name: Name
    recipient_types: Annotated[tuple[AgencyType, ...], Field(min_length=1, max_length=10)]


class Purpose(Request):
    code: Code
    name: Name
    legal_gateways: Annotated[tuple[LegalGateway, ...], Field(min_length=1, max_length=20)]


Purposes = Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=50)]


class Contact(Request):
    name: Name
    email: Email


class ProtocolBody(Request):
    """`ends_on` is the last day on which it holds."""

    title: Name
    parties: Parties
    purposes: Purposes
    data_categories: Categories
    starts_on: date
    ends_on: date
    review_on: date
    spoc: Contact
    dpo: Contact
    document_sha256: Sha256 | None = None


class CreateProtocol(Request):
    """It is a `draft`. Raises Invalid, with pointers: unknown parties, an end before the start."""

    protocol: ProtocolBody


class ListProtocols(PageRequest):
    """The operator, the policing body: all; newest first."""


class GetProtocol(Request):
    """One that the caller's agency is no party to does not exist for it."""

    protocol_id: Id


class ProtocolChanges(Request):
    """Title, purposes, categories and start change in a draft only (else InvalidTransition); parties, dates
    and contacts until it has ended."""

    title: Name | None = None
    parties: Parties | None = None
    purposes: Purposes | None = None
    data_categories: Categories | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    review_on: date | None = None
    spoc: Contact | None = None
    dpo: Contact | None = None
    document_sha256: Sha256 | None = None


class PatchProtocol(Request):
    protocol_id: Id
    if_match: IfMatch | None = None
    changes: ProtocolChanges


class Signatory(Request):
    name: Name
    agency_id: Id


class ProtocolMove(Request):
    to: ProtocolState
    reason: ReasonText
    signatory: Signatory | None = None


class MoveProtocol(Request):
    """draft → signed → active → ended; `expired` by date. Raises InvalidTransition."""

    protocol_id: Id
    move: ProtocolMove


class LegalGatewayView(Reply):
    code: str
    name: str
    recipient_types: tuple[AgencyType, ...]


class PurposeView(Reply):
    code: str
    name: str
    legal_gateways: tuple[LegalGatewayView, ...]


class ContactView(Reply):
    name: str
    email: str


class SignatoryView(Reply):
    name: str
    agency_id: str
    at: Moment


class ProtocolView(View):
    id: str
    title: str
    state: ProtocolState
    parties: tuple[str, ...]
    purposes: tuple[PurposeView, ...]
    data_categories: tuple[str, ...]
    starts_on: date
    ends_on: date
    review_on: date
    spoc: ContactView
    dpo: ContactView
    document_sha256: str | None
    signatories: tuple[SignatoryView, ...]
    created_at: Moment
    updated_at: Moment


class ProtocolPage(View):
    items: tuple[ProtocolView, ...]
    next: str | None
