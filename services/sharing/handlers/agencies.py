"""Agencies, by the operator; everybody may see who takes part."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.records import Object
from services.contracts.sharing.agencies import (
    AgencyPage,
    AgencyView,
    CreateAgency,
    GetAgency,
    ListAgencies,
    MoveAgency,
    PatchAgency,
)
from services.sharing.domain import etags
from services.sharing.domain.agencies import Agency, check_move
from services.sharing.handlers.identity import REFUSALS, Identity, Made, changes_of


class Agencies(Identity):
    @command(expected_exceptions=REFUSALS)
    def create_agency(self, request: CreateAgency, caller: Caller) -> AgencyView:
        """Make one that is proposed."""
        given, now = request.agency, self.now()
        agency = Agency(new_event_id(), given.name, given.type, given.area, "proposed", 1, now, now)

        def body(session: Session, _emit: Emit) -> Made:
            self.agencies.add(agency, session)
            self.standing.put_agency(agency, session)
            self.keep(caller, "agency.create", _object(agency))
            return Made(id=agency.id)

        return self._agency(self.commands.run(request, Made, body).id)

    @rpc(expected_exceptions=REFUSALS)
    def list_agencies(self, request: ListAgencies, caller: Caller) -> AgencyPage:
        """By name."""
        found, after = self.agencies.page(request.limit, request.cursor)
        return AgencyPage(items=tuple(agency_view(one) for one in found), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_agency(self, request: GetAgency, caller: Caller) -> AgencyView:
        return self._agency(request.agency_id)

    @command(expected_exceptions=REFUSALS)
    def patch_agency(self, request: PatchAgency, caller: Caller) -> AgencyView:
        """Name and area."""
        changes = changes_of(request.changes, frozenset({"area"}))

        def body(session: Session, _emit: Emit) -> Made:
            before = self.agencies.load(request.agency_id, session)
            etags.check(request.if_match, etags.etag_of(before.version))
            after = self.agencies.change(before, changes, self.now(), session)
            self.standing.put_agency(after, session)
            self.keep(caller, "agency.change", _object(after))
            return Made(id=after.id)

        return self._agency(self.commands.run(request, Made, body).id)

    @command(expected_exceptions=REFUSALS)
    def move_agency(self, request: MoveAgency, caller: Caller) -> AgencyView:
        """To another state. Everybody of an agency that leaves `active` is shut out by the next request."""
        move = request.move

        def body(session: Session, _emit: Emit) -> Made:
            before = self.agencies.load(request.agency_id, session)
            check_move(before.type, before.state, move.to)
            after = self.agencies.move(
                before, move.to, by=caller.id, reason=move.reason, now=self.now(), session=session
            )
            self.standing.put_agency(after, session)
            self.keep(caller, f"agency.{move.to}", _object(after))
            return Made(id=after.id)

        return self._agency(self.commands.run(request, Made, body).id)

    def _agency(self, agency_id: str) -> AgencyView:
        found = self.agencies.load(agency_id)
        return agency_view(found).model_copy(update={"etag": etags.etag_of(found.version)})


def agency_view(agency: Agency) -> AgencyView:
    return AgencyView(
        id=agency.id,
        name=agency.name,
        type=agency.type,
        area=agency.area,
        state=agency.state,
        created_at=agency.created_at,
        updated_at=agency.updated_at,
    )


def _object(agency: Agency) -> Object:
    return Object(type="agency", id=agency.id, agency_id=agency.id, version=agency.version)
