"""Agencies: who takes part, and whether it may (R9, R10).

sharing.create_agency(CreateAgency) -> AgencyView    command; POST /agencies
sharing.list_agencies(ListAgencies) -> AgencyPage    query
sharing.get_agency(GetAgency) -> AgencyView          query
sharing.patch_agency(PatchAgency) -> AgencyView      command; PATCH with If-Match
sharing.move_agency(MoveAgency) -> AgencyView        command; POST /agencies/{id}/transitions
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import AgencyState, AgencyType, DeviceClass, Marking, Name

IfMatch = Annotated[str, StringConstraints(max_length=512)]
"""The header as it came. Absent: IfMatchRequired; not the present ETag: Stale."""
Network = Annotated[str, StringConstraints(min_length=2, max_length=64)]
Networks = Annotated[tuple[Network, ...], Field(max_length=20)]
"""CIDR, IPv4 or IPv6. None: from anywhere."""
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


class PlaceBody(Request):
    """From where and on what cases of one marking may be opened. Empty networks: from anywhere; empty
    device_classes: on any device. A rule for `official` holds for what is more sensitive, too, unless that
    has one of its own. `step_up`: a fresh code of the authenticator lifts the refusal for a while."""

    marking: Marking
    networks: Networks = ()
    device_classes: Annotated[tuple[DeviceClass, ...], Field(max_length=3)] = ()
    step_up: bool = False


Places = Annotated[tuple[PlaceBody, ...], Field(max_length=2)]


class AgencyChanges(Request):
    """`places` are the agency's own administrator's to set, name and area the operator's."""

    name: Name | None = None
    area: Name | None = None
    places: Places | None = None


class PatchAgency(Request):
    """Raises RoleRequired, Invalid: `/places/…`."""

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


class PlaceView(Reply):
    marking: Marking
    networks: tuple[str, ...]
    device_classes: tuple[DeviceClass, ...]
    step_up: bool


class AgencyView(View):
    """`area` is null where there is none. `places` is there for the agency's own administrators alone."""

    id: str
    name: str
    type: AgencyType
    area: str | None
    state: AgencyState
    places: tuple[PlaceView, ...] | None = None
    created_at: Moment
    updated_at: Moment


class AgencyPage(View):
    items: tuple[AgencyView, ...]
    next: str | None
