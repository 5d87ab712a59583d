"""Teams: walls inside an agency (R56).

sharing.create_team(CreateTeam) -> TeamView    command; POST /teams
sharing.list_teams(ListTeams) -> TeamPage      query
sharing.get_team(GetTeam) -> TeamView          query
sharing.patch_team(PatchTeam) -> TeamView      command; PATCH with If-Match
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..messages import Id, Moment, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import Name
from .agencies import IfMatch

UserIds = Annotated[tuple[Id, ...], Field(max_length=200)]


class TeamBody(Request):
    agency_id: Id
    name: Name
    user_ids: UserIds = ()


class CreateTeam(Request):
    """In the own agency. Raises Invalid: `/name` taken, `/user_ids/…` not in the agency."""

    team: TeamBody


class ListTeams(PageRequest):
    """Of the own agency, by name; the operator may name another."""

    agency_id: Id | None = None


class GetTeam(Request):
    team_id: Id


class TeamChanges(Request):
    """`user_ids` are all the members from now on."""

    name: Name | None = None
    user_ids: UserIds | None = None


class PatchTeam(Request):
    team_id: Id
    if_match: IfMatch | None = None
    changes: TeamChanges


class TeamView(View):
    """`user_ids` in the answer about one team, to its administrators."""

    id: str
    agency_id: str
    name: str
    user_ids: tuple[str, ...] | None = None
    created_at: Moment
    updated_at: Moment


class TeamPage(View):
    items: tuple[TeamView, ...]
    next: str | None
