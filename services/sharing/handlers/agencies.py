"""Agencies, by the operator; everybody may see who takes part."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import RoleRequired
from services.contracts.records import Object
from services.contracts.sharing.agencies import (
    AgencyPage,
    AgencyView,
    CreateAgency,
    GetAgency,
    ListAgencies,
    MoveAgency,
    PatchAgency,
    PlaceView,
)
from services.sharing.domain import etags
from services.sharing.domain.agencies import Agency, check_move
from services.sharing.domain.places import check_places
from services.sharing.handlers.identity import REFUSALS, Identity, Made, changes_of, is_operator


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

        return self._agency(self.commands.run(request, Made, body).id, caller)

    @rpc(expected_exceptions=REFUSALS)
    def list_agencies(self, request: ListAgencies, caller: Caller) -> AgencyPage:
        """By name."""
        found, after = self.agencies.page(request.limit, request.cursor)
        return AgencyPage(items=tuple(agency_view(one) for one in found), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_agency(self, request: GetAgency, caller: Caller) -> AgencyView:
        return self._agency(request.agency_id, caller)

    @command(expected_exceptions=REFUSALS)
    def patch_agency(self, request: PatchAgency, caller: Caller) -> AgencyView:
        """Name and area, by the operator; places, by the agency's own administrator."""
        changes = changes_of(request.changes, frozenset({"area"}))
        given = changes.pop("places", None)
        rules = None if given is None else check_places(given)
        own = _administers(caller, request.agency_id)
        if (rules is not None and not own) or ((changes or rules is None) and not is_operator(caller)):
            raise RoleRequired

        def body(session: Session, _emit: Emit) -> Made:
            before = after = self.agencies.load(request.agency_id, session)
            etags.check(request.if_match, _tag(before, own=own))
            if rules is not None:
                after = self.agencies.set_places(after, rules, session)
                self.keep(caller, "agency.set_places", _object(after))
            if changes:
                after = self.agencies.change(after, changes, self.now(), session)
                self.keep(caller, "agency.change", _object(after))
            self.standing.put_agency(after, session)
            return Made(id=after.id)

        return self._agency(self.commands.run(request, Made, body).id, caller)

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
            with self.letting_in(session):
                self.standing.put_agency(after, session)
            self.keep(caller, f"agency.{move.to}", _object(after))
            return Made(id=after.id)

        return self._agency(self.commands.run(request, Made, body).id, caller)

    def _agency(self, agency_id: str, caller: Caller) -> AgencyView:
        """From where its cases may be opened is told to its own administrators alone."""
        found, own = self.agencies.load(agency_id), _administers(caller, agency_id)
        told: dict[str, object] = {"etag": _tag(found, own=own)}
        if own:
            told["places"] = tuple(
                PlaceView(
                    marking=one.marking,
                    networks=one.networks,
                    device_classes=one.device_classes,
                    step_up=one.step_up,
                )
                for one in found.places
            )
        return agency_view(found).model_copy(update=told)


def _administers(caller: Caller, agency_id: str) -> bool:
    return agency_id == caller.agency_id and "agency_admin" in caller.roles


def _tag(agency: Agency, *, own: bool) -> str:
    """It changes with what this caller may see, and with nothing else."""
    return etags.etag_of(agency.version, agency.places_version if own else 0)


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
