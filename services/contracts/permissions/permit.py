"""What one method asks of its caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..vocabulary import Role, Scope, ShareLevel

Least = ShareLevel | Literal["own"]


@dataclass(frozen=True, slots=True)
class Permit:
    """The roles, scopes and level on a case that one method asks for.

    roles: any of these; None is everybody. scopes: any of these for a client; empty: no client may.
    level: the least level on the case that it is about; None when it is about no case.
    before: also while the session's `must` is not empty (own account and procedure).
    founding: also while no procedure is published at all: else nobody could make the agency of who writes it.
    quiet: a program asks it again and again by itself, so it MUST NOT count as use of the session: else an
    open page would keep a session from ever ending by inactivity.
    """

    roles: frozenset[Role] | None = None
    scopes: frozenset[Scope] = frozenset()
    level: Least | None = None
    before: bool = False
    founding: bool = False
    quiet: bool = False


EVERYBODY = None
CASEWORKERS: frozenset[Role] = frozenset({"practitioner", "supervisor"})
TASKWORKERS: frozenset[Role] = CASEWORKERS | {"light_participant"}
OFFICERS: frozenset[Role] = frozenset({"agency_dpo", "partnership_dpo"})
READ: frozenset[Scope] = frozenset({"cases:read"})
WRITE: frozenset[Scope] = frozenset({"cases:write"})
ANY_SCOPE: frozenset[Scope] = frozenset(get_args(Scope)) - {"provisioning"}
