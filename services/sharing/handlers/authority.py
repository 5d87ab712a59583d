"""What the other services ask about access and about names. No user or client may ask these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.chassis.rpc import rpc
from services.contracts.authority import (
    AccessLists,
    Describe,
    Described,
    Exclusions,
    GetAccessLists,
    GetExclusions,
    GetPowers,
    GetPrincipals,
    GetTeamMembers,
    GrantedPower,
    MayKnow,
    MayKnowAnswers,
    Powers,
    Principal,
    Principals,
    TeamMembers,
)
from services.contracts.caller import Caller
from services.sharing.domain.knowing import may_know
from services.sharing.domain.known import Known, caller_of
from services.sharing.domain.ownership import Grant
from services.sharing.handlers.grants import Grants

HOLDERS = ("cases", "audit", "notify")
MOST_MEMBERS = 500
MOST_PAST = 100


class AuthorityHandlers(Grants):
    @rpc(callers=HOLDERS)
    def access_lists(self, request: GetAccessLists) -> AccessLists:
        """The lists as they are now: read behind the barrier, so that no change made before is missed."""
        self.directory.today()
        found = self.ownerships.known(set(request.case_ids))
        return AccessLists(items=tuple(one.acl for one in found.values()))

    @rpc(callers=HOLDERS)
    def principals(self, request: GetPrincipals) -> Principals:
        """Users, clients and teams by id, with what the access rule wants to know beside them."""
        today = self.directory.today()
        known = self.directory.known(set(request.ids), today)
        return Principals(
            items=tuple(_principal(one) for one in known.values()),
            inactive_agencies=today.on.inactive_agencies,
            inactive_protocols=today.on.inactive_protocols,
            now=today.now,
        )

    @rpc(callers=("audit",))
    def team_members(self, request: GetTeamMembers) -> TeamMembers:
        """Who is in these teams now: whose log their supervisor may read (R30)."""
        found = self.directory.members(request.team_ids, self.directory.today())
        return TeamMembers(user_ids=tuple(one.id for one in found[:MOST_MEMBERS]))

    @rpc(callers=("audit",))
    def exclusions(self, request: GetExclusions) -> Exclusions:
        """What the log has to keep from its reader. Read behind the barrier, as the lists are: a conflict
        declared before is not missed."""
        self.directory.today()
        found = self.ownerships.shut_out(request.user_ids, request.case_ids)
        return Exclusions(some=found is not None, case_ids=tuple(found or ()))

    @rpc(callers=("audit",))
    def powers(self, request: GetPowers) -> Powers:
        """Under what each agency was given these cases, now and before."""
        items: list[GrantedPower] = []
        for case_id, one in self.ownerships.known(set(request.case_ids)).items():
            items += (power_of(case_id, grant, grant.expires_at) for grant in one.grants)
            items += (
                power_of(case_id, past.grant, past.ended_at)
                for past in self.ownerships.past_of(case_id, None, MOST_PAST)
            )
        return Powers(items=tuple(items))

    @rpc(callers=("notify",))
    def may_know(self, request: MayKnow) -> MayKnowAnswers:
        """Whether each may be told now, by the lists as they are at this moment."""
        today = self.directory.today()
        ids = {one.principal_id for one in request.questions}
        known = _by_id(self.directory.by_kind(today, users=ids, clients=ids))
        callers: dict[str, Caller] = {one.id: caller_of(one, today.on, today.now) for one in known.values()}
        lists = {
            case_id: one.acl
            for case_id, one in self.ownerships.known({one.case_id for one in request.questions}).items()
        }
        return MayKnowAnswers(
            answers=tuple(
                one.principal_id in callers
                and one.case_id in lists
                and may_know(one, known[one.principal_id], callers[one.principal_id], lists[one.case_id])
                for one in request.questions
            )
        )

    @rpc(callers=HOLDERS)
    def describe(self, request: Describe) -> Described:
        """Names by id, of whatever has one of these ids."""
        names, agencies = self.directory.names(set(request.ids))
        return Described(names=names, agencies=agencies)


def power_of(case_id: str, grant: Grant, until: datetime | None) -> GrantedPower:
    return GrantedPower(
        case_id=case_id,
        share_id=grant.id,
        agency_id=grant.agency.id,
        purpose=grant.purpose,
        legal_gateway=grant.legal_gateway,
        protocol_id=grant.protocol_id,
        regime=grant.regime,
        since=grant.granted_at,
        until=until,
    )


def _by_id(known: Mapping[str, Known]) -> dict[str, Known]:
    return {one.id: one for one in known.values()}


def _principal(one: Known) -> Principal:
    return Principal(
        kind=one.kind,
        id=one.id,
        name=one.name,
        agency=one.agency,
        team_ids=one.team_ids,
        roles=one.roles,
        scopes=one.scopes,
        accountable_id=one.accountable_id,
        active=one.active,
    )
