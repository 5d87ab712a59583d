"""Teams, by the agency's administrator; seen by the agency's own people."""

from __future__ import annotations

from collections.abc import Collection

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, Invalid, RoleRequired
from services.contracts.records import Object
from services.contracts.sharing.teams import CreateTeam, GetTeam, ListTeams, PatchTeam, TeamPage, TeamView
from services.sharing.domain import etags
from services.sharing.domain.teams import Team
from services.sharing.handlers.identity import REFUSALS, Identity, Made, changes_of, own_agency, within_reach


class Teams(Identity):
    @command(expected_exceptions=REFUSALS)
    def create_team(self, request: CreateTeam, caller: Caller) -> TeamView:
        given, now = request.team, self.now()
        if given.agency_id != caller.agency_id:
            raise RoleRequired
        team = Team(new_event_id(), given.agency_id, given.name, 1, now, now)

        def body(session: Session, _emit: Emit) -> Made:
            self._check_members(team.agency_id, given.user_ids, session)
            self.teams.add(team, session)
            self.users.put_into_team(team.id, given.user_ids, now, session)
            self.keep(caller, "team.create", _object(team), *_members(team.agency_id, given.user_ids))
            return Made(id=team.id)

        return self._team(self.commands.run(request, Made, body).id, caller)

    @rpc(expected_exceptions=REFUSALS)
    def list_teams(self, request: ListTeams, caller: Caller) -> TeamPage:
        """Of the own agency, by name."""
        agency_id = request.agency_id or caller.agency_id
        within_reach(caller, agency_id)
        found, after = self.teams.page(agency_id, request.limit, request.cursor)
        return TeamPage(items=tuple(_view(one) for one in found), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_team(self, request: GetTeam, caller: Caller) -> TeamView:
        return self._team(request.team_id, caller)

    @command(expected_exceptions=REFUSALS)
    def patch_team(self, request: PatchTeam, caller: Caller) -> TeamView:
        """Name and members. Who is taken out sees nothing through the team from the next request on."""
        changes = changes_of(request.changes)

        def body(session: Session, _emit: Emit) -> Made:
            now, before = self.now(), self.teams.load(request.team_id, session)
            own_agency(caller, before.agency_id)
            etags.check(request.if_match, etags.etag_of(before.version))
            touched = self._change_members(before, changes.get("user_ids"), session)
            after = self.teams.change(before, changes.get("name"), now, session)
            self.keep(caller, "team.change", _object(after), *_members(after.agency_id, touched))
            return Made(id=after.id)

        return self._team(self.commands.run(request, Made, body).id, caller)

    def _change_members(self, team: Team, wanted: Collection[str] | None, session: Session) -> list[str]:
        """Those who came and went."""
        if wanted is None:
            return []
        self._check_members(team.agency_id, wanted, session)
        present = {user.id for user in self.users.in_team(team.id, session)}
        come, gone = set(wanted) - present, present - set(wanted)
        now = self.now()
        if come:
            self.users.put_into_team(team.id, come, now, session)
        if gone:
            self.users.take_out_of_team(team.id, gone, now, session)
        return sorted(come | gone)

    def _check_members(self, agency_id: str, user_ids: Collection[str], session: Session) -> None:
        """Raises Invalid, `/user_ids/<n>`."""
        known = self.users.known(user_ids, session) if user_ids else {}
        errors = [
            FieldError(f"/user_ids/{number}", "unknown_user", "There is no such person in this agency.")
            for number, one in enumerate(user_ids)
            if one not in known or known[one].agency_id != agency_id
        ]
        if errors:
            raise Invalid(errors=tuple(errors))

    def _team(self, team_id: str, caller: Caller) -> TeamView:
        found = self.teams.load(team_id)
        within_reach(caller, found.agency_id)
        view = _view(found).model_copy(update={"etag": etags.etag_of(found.version)})
        if "agency_admin" not in caller.roles:
            return view
        members = tuple(user.id for user in self.users.in_team(team_id))
        return view.model_copy(update={"user_ids": members})


def _view(team: Team) -> TeamView:
    return TeamView(
        id=team.id,
        agency_id=team.agency_id,
        name=team.name,
        created_at=team.created_at,
        updated_at=team.updated_at,
    )


def _members(agency_id: str, user_ids: Collection[str]) -> tuple[Object, ...]:
    return tuple(Object(type="user", id=one, agency_id=agency_id) for one in user_ids)


def _object(team: Team) -> Object:
    return Object(type="team", id=team.id, agency_id=team.agency_id, version=team.version)
