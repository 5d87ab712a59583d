"""The Security Operating Procedure: published in versions, signed by each user (R29).

sharing.publish_procedure(PublishProcedure) -> ProcedureView    command; POST /procedures
sharing.list_procedures(ListProcedures) -> ProcedurePage        query
sharing.current_procedure(GetCurrentProcedure) -> CurrentProcedure    query, before everything else
sharing.sign_procedure(SignProcedure) -> SignatureView          command, before everything else
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ..bars import BarCode
from ..messages import Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import Name
from .protocols import Sha256

ClauseNumber = (
    Annotated[int, Field(ge=0, le=10_000)] | Annotated[str, StringConstraints(min_length=1, max_length=20)]
)


class ClauseBody(Request):
    """`covers`: the refusals of places, devices and training that cite this clause. It is not part of the
    text that is signed."""

    no: ClauseNumber
    heading: Name
    text: Annotated[str, StringConstraints(min_length=1, max_length=5000)]
    covers: Annotated[tuple[BarCode, ...], Field(max_length=4)] = ()


class ProcedureBody(Request):
    """A user's former signature holds until `sign_by`."""

    title: Name
    clauses: Annotated[tuple[ClauseBody, ...], Field(min_length=1, max_length=150)]
    effective_from: Moment
    sign_by: Moment


class PublishProcedure(Request):
    """Takes the next version. Raises Invalid: `/sign_by` before `/effective_from`, the latter before that of
    the version before."""

    procedure: ProcedureBody


class ListProcedures(PageRequest):
    """Every version, the newest first, without the clauses."""


class GetCurrentProcedure(Request):
    """Raises ProcedureMissing when none is in effect yet."""


class SignatureBody(Request):
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    sha256: Sha256


class SignProcedure(Request):
    """Raises ProcedureSuperseded: not the current version, or not its text."""

    signature: SignatureBody


class ClauseView(Reply):
    no: int | str
    heading: str
    text: str
    covers: tuple[BarCode, ...] = ()


class ProcedureView(View):
    """`sha256` is over the title and clauses as canonical JSON: sorted keys, no spaces, UTF-8.

    `id` is the version in decimal. Absent `clauses`: not in a list.
    """

    id: str
    version: int
    title: str
    clauses: tuple[ClauseView, ...] | None = None
    sha256: str
    effective_from: Moment
    sign_by: Moment
    created_at: Moment
    updated_at: Moment


class MySignature(Reply):
    version: int
    signed_at: Moment


class CurrentProcedure(ProcedureView):
    my_signature: MySignature | None


class ProcedurePage(View):
    items: tuple[ProcedureView, ...]
    next: str | None


class SignatureView(View):
    version: int
    sha256: str
    user_id: str
    device_id: str | None
    signed_at: Moment
