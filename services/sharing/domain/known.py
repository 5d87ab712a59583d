"""People, teams and clients as grants see them: by name, and whether they could open a case now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.contracts.caller import Caller
from services.contracts.paging import Ref
from services.contracts.permissions.permit import CASEWORKERS, TASKWORKERS
from services.contracts.vocabulary import Template
from services.sharing.domain.clients import Client
from services.sharing.domain.people import User
from services.sharing.domain.procedures import holds
from services.sharing.domain.standing import StandingOn
from services.sharing.domain.teams import Team
from services.sharing.domain.trainings import current_uses

PROCEDURE_CODES = frozenset({"procedure_unsigned", "procedure_missing"})
"""Whoever is held up by these can log in, and sign."""


@dataclass(frozen=True, slots=True)
class Today:
    """How everything stands, and when."""

    on: StandingOn
    now: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """`because`: why it can open nothing now, whatever names it. `roles` are those in force today. `signed`:
    the version of the procedure that it, or a client's accountable person, signed last. `account` and
    `procedure`: what stands against it by these alone, whatever else does. `deputy_id`: who is given an
    owner's cases when the owner cannot act. `uses`: those with training that counts today, its own or the
    accountable person's."""

    kind: Literal["user", "team", "client"]
    id: str
    name: str
    agency: Ref
    because: str | None
    team_ids: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    accountable_id: str | None = None
    job_title: str | None = None
    signed: int | None = None
    account: str | None = None
    procedure: str | None = None
    deputy_id: str | None = None
    uses: tuple[Template, ...] = ()

    @property
    def key(self) -> str:
        """The index key."""
        return f"{self.kind[0]}:{self.id}"

    @property
    def active(self) -> bool:
        """It could log in now."""
        return self.because is None or self.because in PROCEDURE_CODES

    @property
    def grantable(self) -> bool:
        """It can be named in a share."""
        return self.active

    @property
    def works_on_cases(self) -> bool:
        """By its role or scope; a light participant sees tasks alone."""
        if self.kind == "client":
            return "cases:read" in self.scopes
        return not CASEWORKERS.isdisjoint(self.roles)

    @property
    def works_on_tasks(self) -> bool:
        return self.kind == "user" and not TASKWORKERS.isdisjoint(self.roles)


def known_user(user: User, standing: StandingOn, now: datetime) -> Known:
    return Known(
        kind="user",
        id=user.id,
        name=user.name,
        agency=agency_ref(standing, user.agency_id),
        because=_user_because(user, standing, now),
        team_ids=user.team_ids,
        roles=user.roles_on(standing.today),
        job_title=user.job_title,
        signed=user.signature.version if user.signature else None,
        account=_account_because(user),
        procedure=_procedure_because(user, standing, now),
        deputy_id=user.deputy_id,
        uses=current_uses(user.trainings, standing.today),
    )


def known_team(team: Team, standing: StandingOn) -> Known:
    return Known(
        kind="team",
        id=team.id,
        name=team.name,
        agency=agency_ref(standing, team.agency_id),
        because=_agency_because(standing, team.agency_id),
    )


def known_client(client: Client, accountable: User | None, standing: StandingOn, now: datetime) -> Known:
    """`accountable`: its person, without whom nothing may be given to it."""
    return Known(
        kind="client",
        id=client.id,
        name=client.name,
        agency=agency_ref(standing, client.agency_id),
        because=_client_because(client, accountable, standing, now),
        scopes=client.scopes,
        accountable_id=client.accountable_user_id,
        signed=accountable.signature.version if accountable and accountable.signature else None,
        account=_client_account_because(client, accountable, now),
        procedure=_procedure_because(accountable, standing, now),
        uses=current_uses(accountable.trainings, standing.today) if accountable else (),
    )


def _agency_because(standing: StandingOn, agency_id: str) -> str | None:
    refusal = standing.refusal(agency_id)
    return None if refusal is None else refusal.code


def _user_because(user: User, standing: StandingOn, now: datetime) -> str | None:
    return (
        _agency_because(standing, user.agency_id)
        or _account_because(user)
        or _procedure_because(user, standing, now)
    )


def _account_because(user: User) -> str | None:
    if user.state == "active":
        return None
    return "account_disabled" if user.state == "disabled" else "not_activated"


def _procedure_because(user: User | None, standing: StandingOn, now: datetime) -> str | None:
    if user is not None and holds(user.signature, standing.standing.procedures, now):
        return None
    return "procedure_unsigned" if standing.current_procedure(now) else "procedure_missing"


def _client_because(
    client: Client, accountable: User | None, standing: StandingOn, now: datetime
) -> str | None:
    return (
        _agency_because(standing, client.agency_id)
        or _client_account_because(client, accountable, now)
        or _procedure_because(accountable, standing, now)
    )


def _client_account_because(client: Client, accountable: User | None, now: datetime) -> str | None:
    if not client.alive(now):
        return "account_disabled" if client.state == "deleted" else "expired"
    if accountable is None or accountable.agency_id != client.agency_id:
        return "account_disabled"
    return _account_because(accountable)


def agency_ref(standing: StandingOn, agency_id: str) -> Ref:
    agency = standing.standing.agencies.get(agency_id)
    return Ref(id=agency_id, name=agency.name if agency else agency_id)


def caller_of(known: Known, standing: StandingOn, now: datetime) -> Caller:
    """As this principal would be identified, for the access rule; signed by nobody, and bound to nothing."""
    told: dict[str, Any] = {
        "kind": known.kind,
        "id": known.id,
        "accountable_id": known.accountable_id,
        "agency_id": known.agency.id,
        "team_ids": known.team_ids,
        "roles": known.roles,
        "scopes": known.scopes,
        "inactive_agencies": standing.inactive_agencies,
        "inactive_protocols": standing.inactive_protocols_of(known.agency.id),
        "now": now,
    }
    return Caller.model_construct(**told)
