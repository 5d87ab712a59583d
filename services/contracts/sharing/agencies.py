"""Agencies: who takes part, and whether it may (R9, R10).

sharing.create_agency(CreateAgency) -> AgencyView    command; POST /agencies
sharing.list_agencies(ListAgencies) -> AgencyPage    query
sharing.get_agency(GetAgency) -> AgencyView          query
sharing.patch_agency(PatchAgency) -> AgencyView      command; PATCH with If-Match
sharing.move_agency(MoveAgency) -> AgencyView        command; POST /agencies/{id}/transitions
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from ..messages import Id, Moment, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import AgencyState, AgencyType, Name

IfMatch = Annotated[str, StringConstraints(max_length=512)]
"""The header as it came. Absent: IfMatchRequired; not the present ETag: Stale."""
ReasonText = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class AgencyBody(Request):
    name: Name
    type: AgencyType
    area: Name | None = None


class CreateAgency(Request):
    """It is `proposed`. Raises Invalid (`/name` taken)."""

    agency: AgencyBody


class ListAgencies(PageRequest):
    """All of them, by name: everybody may know who takes part."""


class GetAgency(Request):
    agency_id: Id


class AgencyChanges(Request):
    name: Name | None = None
    area: Name | None = None


class PatchAgency(Request):
    agency_id: Id
    if_match: IfMatch | None = None
    changes: AgencyChanges


class AgencyMove(Request):
    to: AgencyState
    reason: ReasonText


class MoveAgency(Request):
    """Raises InvalidTransition. Leaving `active` shuts the agency out at once."""

    agency_id: Id
    move: AgencyMove


class AgencyView(View):
    """`area` is null where there is none."""

    id: str
    name: str
    type: AgencyType
    area: str | None
    state: AgencyState
    created_at: Moment
    updated_at: Moment


class AgencyPage(View):
    items: tuple[AgencyView, ...]
    next: str | None
