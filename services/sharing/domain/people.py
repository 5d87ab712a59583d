"""People: who they are, the roles that they hold on a day, who may give which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.contracts.errors import FieldError, Invalid, InvalidTransition
from services.contracts.permissions.permit import CASEWORKERS
from services.contracts.sharing.people import UserState
from services.contracts.vocabulary import Role
from services.sharing.domain.london import covers
from services.sharing.domain.procedures import Signature
from services.sharing.domain.trainings import Training

MOVES: Mapping[UserState, frozenset[UserState]] = {
    "invited": frozenset({"disabled"}),
    "active": frozenset({"disabled"}),
    "disabled": frozenset({"active"}),
}
"""By PATCH. `invited` becomes `active` by activation alone, and `active` becomes `invited` by a reset."""

OPERATORS_TO_GIVE: frozenset[Role] = frozenset({"system_operator", "partnership_dpo", "security_manager"})
"""They reach beyond one agency, so no agency gives them to its own people."""
ADMINISTRATION: frozenset[Role] = OPERATORS_TO_GIVE | {
    "agency_admin",
    "programme_manager",
    "governance_member",
}
"""What the operator gives: nobody whom it appoints sees content by it (R39)."""

CASEWORK: frozenset[Role] = frozenset({"practitioner", "supervisor", "light_participant"})


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role from one day to another, both included."""

    role: Role
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Without secrets: `has_password`, `has_totp` and `has_passkey` say that there are some."""

    id: str
    username: str
    name: str
    email: str
    agency_id: str
    job_title: str | None
    team_ids: tuple[str, ...]
    roles: tuple[Appointment, ...]
    state: UserState
    signature: Signature | None
    has_password: bool
    has_totp: bool
    must_change: bool
    version: int
    created_at: datetime
    updated_at: datetime
    trainings: tuple[Training, ...] = ()
    deputy_id: str | None = None
    has_passkey: bool = False
    is_bound: bool = False
    """Signs in by the agency's identity provider."""
    system_may_enable: bool = False
    """The agency's identity system has disabled it, and may enable it, until an administrator changes its
    state."""
    certify_by: datetime | None = None
    """Of a new one alone: elsewhere it is read by the list that is for it."""

    @property
    def has_second_factor(self) -> bool:
        return self.has_totp or self.has_passkey

    def roles_on(self, today: date) -> tuple[Role, ...]:
        return roles_on(self.roles, today)


def roles_on(appointments: Iterable[Appointment], today: date) -> tuple[Role, ...]:
    """Those in force, each once."""
    return tuple(dict.fromkeys(one.role for one in appointments if covers(one.starts_on, one.ends_on, today)))


def works_on_cases(appointments: Iterable[Appointment]) -> bool:
    """Whether a role, whenever it holds, leads to case content."""
    return any(one.role in CASEWORK for one in appointments)


def may_deputise(deputy: User, user: User) -> bool:
    """Another caseworker of the same agency. Whether it can act is found out when it has to."""
    return (
        deputy.id != user.id
        and deputy.agency_id == user.agency_id
        and deputy.state != "disabled"
        and any(one.role in CASEWORKERS for one in deputy.roles)
    )


def reaches_beyond(appointments: Iterable[Appointment]) -> bool:
    """Whether a role, whenever it holds, reaches beyond the own agency."""
    return any(one.role in OPERATORS_TO_GIVE for one in appointments)


def check_move(present: UserState, to: UserState, *, has_way_in: bool) -> None:
    """Raises InvalidTransition. One who never chose a password nor signed in by the agency's identity
    provider is enabled by an invitation anew."""
    if to not in MOVES[present] or (to == "active" and not has_way_in):
        raise InvalidTransition(cause=f"user {present} to {to}")


def check_roles(
    wanted: Collection[Appointment],
    given: Collection[Appointment],
    givers: Collection[str],
    *,
    own_agency: bool,
) -> None:
    """Whether someone with the roles `givers` may make `given` into `wanted`. Raises Invalid, `/roles/<n>`.

    An administrator gives what stays within the own agency; the operator gives administration anywhere. What
    is there already may stay.
    """
    errors = []
    for number, one in enumerate(wanted):
        if one.starts_on and one.ends_on and one.ends_on < one.starts_on:
            errors.append(FieldError(f"/roles/{number}/ends_on", "before_start", "It ends before it starts."))
        if one not in given and not _may_give(one.role, givers, own_agency=own_agency):
            errors.append(
                FieldError(f"/roles/{number}/role", "not_yours_to_give", "You cannot give this role.")
            )
    removed = [
        one for one in given if one not in wanted and not _may_give(one.role, givers, own_agency=own_agency)
    ]
    if any(one.role not in {kept.role for kept in wanted} for one in removed):
        errors.append(FieldError("/roles", "not_yours_to_take", "You cannot take away one of these roles."))
    if errors:
        raise Invalid(errors=tuple(errors))


def _may_give(role: Role, givers: Collection[str], *, own_agency: bool) -> bool:
    if "system_operator" in givers and role in ADMINISTRATION:
        return True
    return "agency_admin" in givers and own_agency and role not in OPERATORS_TO_GIVE
