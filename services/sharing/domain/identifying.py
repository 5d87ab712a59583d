"""The judgement of `identify`: who asks, and whether this may be asked at all. Pure.

What concerns the caller alone is judged here; what concerns a case is judged by the holder of the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.contracts.access import has_role
from services.contracts.authority import Identify
from services.contracts.caller import Caller
from services.contracts.errors import AccountDisabled, ProcedureUnsigned, RoleRequired, Unauthenticated
from services.contracts.permissions import Permit
from services.contracts.vocabulary import Must, Template
from services.sharing.domain import barring, procedures, sessions
from services.sharing.domain.barring import CodeFrom
from services.sharing.domain.clients import Client, from_here, narrow, provisions
from services.sharing.domain.devices import CLIENTS_OWN, PERSONAL, Proved
from services.sharing.domain.people import User, reaches_beyond
from services.sharing.domain.procedures import Signature
from services.sharing.domain.sessions import Limits, Session
from services.sharing.domain.standing import StandingOn
from services.sharing.domain.trainings import Training, current_uses

SETTING_UP = frozenset({"system_operator", "agency_admin", "security_manager"})
"""Roles whose methods work before the first procedure is published: else nobody could ever publish one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, at one moment. `expires_at`: when the caller stops being believed. `trained`: the uses
    that require training."""

    request: Identify
    permit: Permit
    standing: StandingOn
    fences: dict[str, int] | Literal["all"]
    limits: Limits
    now: datetime
    expires_at: datetime
    trained: tuple[Template, ...] = ()

    @property
    def cites(self) -> Mapping[str, str]:
        """Which clause of the procedure a refusal cites."""
        procedure = self.standing.current_procedure(self.now)
        return {} if procedure is None else procedure.cites


def user_musts(
    user: User, standing: StandingOn, limits: Limits, now: datetime, session: Session | None = None
) -> tuple[Must, ...]:
    """`session`: how it was begun counts as well."""
    return sessions.musts(
        must_change=user.must_change and not (session and session.federated),
        has_totp=user.has_second_factor or bool(session and session.strong),
        signed=procedures.holds(user.signature, standing.standing.procedures, now),
        demo=limits.demo,
    )


def judge_user(asked: Asked, user: User, session: Session, device: Proved = PERSONAL) -> Caller:
    """Raises Unauthenticated; then what the agency, the account, the role say (domain.md, section 3)."""
    if user.state != "active" or not session.alive(asked.now, asked.limits.idle):
        raise Unauthenticated
    if session.federated and reaches_beyond(user.roles):
        raise Unauthenticated(cause="role beyond agency")
    _check_agency(asked, user.agency_id, session)
    permit = asked.permit
    if not permit.before:
        must = user_musts(user, asked.standing, asked.limits, asked.now, session)
        published = asked.standing.current_procedure(asked.now) is not None
        setting_up = not published and must == ("sign_procedure",) and _sets_up(permit)
        refusal = None if setting_up else sessions.refusal(must, published=published)
        if refusal is not None:
            raise refusal
    possible: CodeFrom = "possible" if user.has_second_factor else "nowhere"
    code: CodeFrom = "given" if session.stepped_up(asked.now) else possible
    caller = _caller(
        asked,
        user.agency_id,
        **_by_itself(asked, user.agency_id, user.trainings, device, code),
        kind="user",
        id=user.id,
        name=user.name,
        team_ids=user.team_ids,
        roles=user.roles_on(asked.standing.today),
        session_id=session.id,
        procedure_version=_signed(user.signature),
    )
    return _with_role(caller, permit)


def judge_client(asked: Asked, client: Client, session: Session, accountable: User | None) -> Caller:
    """The same for an agency's system. Its accountable person has to be active and to have signed, and what
    that person was taught counts for it. Its secret and the networks of its registration make it a managed
    device; one that may come from anywhere, or nearly so, has proved nothing of the kind."""
    if not session.alive(asked.now, asked.limits.idle):
        raise Unauthenticated
    _check_client(asked, client)
    _check_agency(asked, client.agency_id, session)
    check_accountable(accountable, client, asked.standing, asked.now)
    device = CLIENTS_OWN if narrow(client.networks) else PERSONAL
    trainings = accountable.trainings if accountable else ()
    return _system(
        asked,
        client,
        trainings,
        device,
        session_id=session.id,
        procedure_version=_signed(accountable.signature) if accountable else None,
    )


def judge_provisioner(asked: Asked, client: Client) -> Caller:
    """The same for the system that says who has left, by the secret that it sends each time. Nobody has to be
    there to answer for it: whoever does may be the one who leaves, and must be disabled all the same. Nor
    does it matter how the agency stands: who leaves while it is suspended must not be back when it is."""
    if not provisions(client.scopes):
        raise Unauthenticated
    _check_client(asked, client)
    return _system(asked, client, (), PERSONAL)


def _check_client(asked: Asked, client: Client) -> None:
    """Raises Unauthenticated."""
    if not client.alive(asked.now):
        raise Unauthenticated
    if not from_here(client.networks, asked.request.address):
        raise Unauthenticated(cause="client from elsewhere")


def _system(
    asked: Asked, client: Client, trainings: tuple[Training, ...], device: Proved, **more: Any
) -> Caller:
    """Raises RoleRequired."""
    caller = _caller(
        asked,
        client.agency_id,
        **_by_itself(asked, client.agency_id, trainings, device, "nowhere"),
        kind="client",
        id=client.id,
        name=client.name,
        accountable_id=client.accountable_user_id,
        scopes=client.scopes,
        **more,
    )
    return _with_role(caller, asked.permit)


def check_accountable(accountable: User | None, client: Client, standing: StandingOn, now: datetime) -> None:
    """Raises AccountDisabled, ProcedureUnsigned."""
    if accountable is None or accountable.state != "active" or accountable.agency_id != client.agency_id:
        raise AccountDisabled(cause="accountable person")
    if not procedures.holds(accountable.signature, standing.standing.procedures, now):
        raise ProcedureUnsigned(cause="accountable person")


def _check_agency(asked: Asked, agency_id: str, session: Session) -> None:
    """Raises what stands against the agency; Unauthenticated where something did since the session began."""
    refusal = asked.standing.refusal(agency_id)
    if refusal is not None:
        raise refusal
    if asked.standing.ended(agency_id, session.created_at):
        raise Unauthenticated(cause="agency was shut out")


def _sets_up(permit: Permit) -> bool:
    return permit.level is None and permit.roles is not None and permit.roles <= SETTING_UP


def _with_role(caller: Caller, permit: Permit) -> Caller:
    """Raises RoleRequired, unless it is about a case: whether that exists is not for a role to tell."""
    if permit.level is None and not has_role(caller, permit):
        raise RoleRequired
    return caller


def _signed(signature: Signature | None) -> str | None:
    return None if signature is None else str(signature.version)


def _by_itself(
    asked: Asked, agency_id: str, trainings: tuple[Training, ...], device: Proved, code: CodeFrom
) -> dict[str, Any]:
    """What the caller has been taught and what it holds, and what stands against it for that."""
    uses, rules = current_uses(trainings, asked.standing.today), asked.standing.places_of(agency_id)
    barred = barring.of_training(asked.trained, uses, asked.cites) if asked.trained else {}
    if rules:
        barred |= barring.of_place(rules, asked.request.address, device.device_class, code, asked.cites)
    return {
        "uses": uses,
        "device_class": device.device_class,
        "device_id": device.id,
        "barred": barred,
    }


def _caller(asked: Asked, agency_id: str, **who: Any) -> Caller:
    # Everything in it was made here: to check it again costs as much as to read it from the store.
    agency, request, standing = asked.standing.standing.agencies[agency_id], asked.request, asked.standing
    return Caller.model_construct(
        **who,
        agency_id=agency_id,
        agency_name=agency.name,
        agency_type=agency.type,
        inactive_agencies=standing.inactive_agencies,
        inactive_protocols=standing.inactive_protocols_of(agency_id),
        fences=asked.fences,
        audience=request.audience,
        method=request.method,
        args_hash=request.args_hash,
        request_id=request.request_id,
        now=asked.now,
        expires_at=asked.expires_at,
    )
