"""Who owns a case: registered before `cases` keeps it, so that no case is ever without an owner."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.rpc import command
from services.chassis.timers import every
from services.contracts.access import AccessList, Owner
from services.contracts.authority import CasesKnown, GetCasesKnown, RegisterCase
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, FieldError, Invalid, InvalidTransition
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.sharing.domain.known import Known, Today
from services.sharing.domain.ownership import Ownership, register
from services.sharing.domain.regime import regime_of
from services.sharing.handlers.grants import Grants
from services.sharing.stores.ownerships import AlreadyOwned

UNCONFIRMED = timedelta(minutes=10)
"""After this time a registration without a case is taken to have come to nothing."""
BATCH = 200


class Registered(Reply):
    """What a registration keeps as its outcome. `run`: which run it is of."""

    case_id: str
    run: str


class OwnershipHandlers(Grants):
    @command(callers=("cases",), expected_exceptions=ConcordatError)
    def register_case(self, request: RegisterCase) -> AccessList:
        """Give a new case its owner, epoch 1, and the owner's team its share. The same again is no error."""
        wanted, run = self._wanted(request, self.directory.today()), new_event_id()

        def own(session: Session, _emit: Emit) -> Registered:
            self.ownerships.add(wanted, session)
            return Registered(case_id=request.case_id, run=run)

        with suppress(AlreadyOwned):
            told = self.commands.run(request, Registered, own)
            if told.run == run:
                return wanted.acl
        ownership = self.ownerships.find(request.case_id)
        if ownership is None:  # swept since: what is given again so late is begun anew, under another id
            raise InvalidTransition(cause="registration was swept")
        if ownership.owner.user.id != request.owner_user_id:
            raise InvalidTransition(cause="the case has another owner")
        return ownership.acl

    def _wanted(self, request: RegisterCase, today: Today) -> Ownership:
        """Raises Invalid."""
        known = self.directory.by_kind(
            today,
            users=[request.owner_user_id],
            teams=[request.owner_team_id] if request.owner_team_id else [],
            clients=[request.owner_client_id] if request.owner_client_id else [],
        )
        user, team, client = (
            known.get(f"u:{request.owner_user_id}"),
            known.get(f"t:{request.owner_team_id}"),
            known.get(f"c:{request.owner_client_id}"),
        )
        agency = today.on.standing.agencies.get(request.owner_agency_id)
        if user is None or agency is None or user.agency.id != request.owner_agency_id:
            raise Invalid(cause="no such owner")
        if request.owner_team_id is not None and not _own_team(team, user):
            error = FieldError("/owner_team_id", "not_your_team", "Name one of your own teams.")
            raise Invalid(errors=(error,))
        if request.owner_client_id is not None and (client is None or client.agency.id != user.agency.id):
            raise Invalid(cause="no such client")
        return register(
            request.case_id,
            Owner(user=Ref(id=user.id, name=user.name), agency=user.agency, team=_ref(team)),
            client=_ref(client),
            regime=regime_of(agency.type, None),
            term=today.on.standing.term,
            share_id=new_event_id(),
            now=today.now,
        )

    @every(60.0)
    def sweep_registrations(self) -> None:
        """Forget registrations that came to nothing; stop asking about those that `cases` knows."""
        before = datetime.now(UTC) - UNCONFIRMED
        waiting = self.ownerships.unconfirmed(before, BATCH)
        if not waiting:
            return
        told: CasesKnown = self.cases.call(
            "cases_known", GetCasesKnown(case_ids=tuple(waiting)), reply=CasesKnown
        )
        there = set(told.case_ids)
        self.ownerships.confirm(one for one in waiting if one in there)
        gone = [one for one in waiting if one not in there]
        if gone:
            self.fences.forget(gone)
            log.info("registrations_swept", count=self.ownerships.discard(gone, before))


def _own_team(team: Known | None, user: Known) -> bool:
    return team is not None and team.agency.id == user.agency.id and team.id in user.team_ids


def _ref(one: Known | None) -> Ref | None:
    return None if one is None else Ref(id=one.id, name=one.name)
