"""What every handler of the identity half works with, and how it is written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from services.chassis import context
from services.chassis.commands import CommandLog, Commands
from services.chassis.configured import Configured
from services.chassis.mongo import Session as DatabaseSession
from services.chassis.recording import Keeper, Recording
from services.chassis.signing import Vouch, Vouching
from services.chassis.stored import Stored
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    FieldError,
    IdempotencyKeyRequired,
    IfMatchRequired,
    Invalid,
    InvalidTransition,
    Malformed,
    NotVisible,
    RateLimited,
    Refused,
    Stale,
    Unauthenticated,
)
from services.contracts.messages import Reply, Request
from services.contracts.records import Actor, Object, Record
from services.sharing.domain.london import day_of
from services.sharing.domain.people import User
from services.sharing.settings import SharingSettings
from services.sharing.stores.agencies import AgencyStore
from services.sharing.stores.attempts import AttemptStore
from services.sharing.stores.authority import AuthorityStore
from services.sharing.stores.clients import ClientStore
from services.sharing.stores.devices import DeviceStore
from services.sharing.stores.identities import IdentityStore
from services.sharing.stores.identity_providers import IdentityProviderStore
from services.sharing.stores.people import UserStore
from services.sharing.stores.principals import PrincipalStore
from services.sharing.stores.procedures import ProcedureStore
from services.sharing.stores.protocols import ProtocolStore
from services.sharing.stores.standing import StandingStore
from services.sharing.stores.step_ups import StepUpStore
from services.sharing.stores.steps import STEPS
from services.sharing.stores.teams import TeamStore

UNKNOWN = "unknown"
"""Who tried to log in under a name that nobody has: the name itself is written nowhere."""

UNSAID = "-"
"""Instead of a secret, in what a command is remembered by: its body is kept hashed, but quickly."""
REFUSALS = (
    IfMatchRequired,
    Invalid,
    InvalidTransition,
    Malformed,
    NotVisible,
    RateLimited,
    Refused,
    Stale,
    Unauthenticated,
)
"""What a handler here may say no with: a line in the log, no trace."""


class Made(Reply):
    """What a command is remembered by: ids alone."""

    id: str


class Begun(Reply):
    """What a command that hands out a secret is remembered by: `mark` tells this attempt from the first."""

    id: str
    mark: str


class Identity:
    """The stores and channels, and the clock."""

    agencies: AgencyStore = Stored(AgencyStore, STEPS)
    protocols: ProtocolStore = Stored(ProtocolStore, STEPS)
    users: UserStore = Stored(UserStore, STEPS)
    identities: IdentityStore = Stored(IdentityStore, STEPS)
    identity_providers: IdentityProviderStore = Stored(IdentityProviderStore, STEPS)
    teams: TeamStore = Stored(TeamStore, STEPS)
    clients: ClientStore = Stored(ClientStore, STEPS)
    devices: DeviceStore = Stored(DeviceStore, STEPS)
    step_ups: StepUpStore = Stored(StepUpStore, STEPS)
    procedures: ProcedureStore = Stored(ProcedureStore, STEPS)
    standing: StandingStore = Stored(StandingStore, STEPS)
    authority: AuthorityStore = Stored(AuthorityStore.of, STEPS)
    # Not "principals": that is a method that other services ask (authority.py).
    accounts: PrincipalStore = Stored(PrincipalStore, STEPS)
    attempts: AttemptStore = Stored(AttemptStore, STEPS)
    commands: CommandLog = Commands()
    records: Keeper = Recording()
    vouch: Vouch = Vouching()
    settings: SharingSettings = Configured()

    def now(self) -> datetime:
        """To the millisecond, as the store keeps it."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def refuses_password(self, user: User | None) -> bool:
        """Whether the agency's identity provider signs this user in, and no password does. The same read
        whoever is meant, nobody included."""
        provider, _ = self.identity_providers.of(user.agency_id if user else UNKNOWN)
        if provider is None or user is None:
            return False
        return provider.refuses_password(user, day_of(self.now()))

    @contextmanager
    def letting_in(self, session: DatabaseSession) -> Iterator[None]:
        """What is changed inside may let an agency in again: its people log in anew."""
        now = self.now()
        before = self.standing.load(session).on(day_of(now))
        yield
        back = self.standing.load(session).on(day_of(now)).let_in(before)
        if back:
            self.standing.end_sessions(back, now, session)

    def keep(
        self,
        by: Caller | Actor,
        action: str,
        *objects: Object,
        code: str | None = None,
    ) -> None:
        """Record an administrative act, durably; with a `code` it was refused."""
        actor = by if isinstance(by, Actor) else actor_of(by)
        record = Record(
            id=new_event_id(),
            at=self.now(),
            actor=actor,
            action=action,
            operation="administration",
            objects=objects,
            outcome="done" if code is None else "refused",
            code=code,
            request_id=request_id(),
        )
        self.records.keep(record)


def actor_of(caller: Caller) -> Actor:
    return Actor(
        kind=caller.kind, id=caller.id, agency_id=caller.agency_id, accountable_id=caller.accountable_id
    )


def request_id() -> str:
    """Of the call being served."""
    serving = context.current()
    if serving is None:
        raise IdempotencyKeyRequired(cause="outside a call")
    return serving.request_id


def is_operator(caller: Caller) -> bool:
    return "system_operator" in caller.roles


def within_reach(caller: Caller, agency_id: str) -> None:
    """Raises NotVisible: an administrator's people are its own agency's; the operator's are everybody's."""
    if agency_id != caller.agency_id and not is_operator(caller):
        raise NotVisible


def own_agency(caller: Caller, agency_id: str) -> None:
    """Raises NotVisible. Teams and clients lead to cases, and the operator sees none (R39): they are changed
    by their own agency's administrators alone, whatever other role one has."""
    if agency_id != caller.agency_id:
        raise NotVisible


def changes_of(changes: Request, may_be_null: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What a PATCH names. Raises Invalid for a null where there must be something."""
    given = {name: getattr(changes, name) for name in sorted(changes.model_fields_set)}
    empty = [name for name, value in given.items() if value is None and name not in may_be_null]
    if empty:
        raise Invalid(
            errors=tuple(FieldError(f"/{one}", "required", "This cannot be empty.") for one in empty)
        )
    return given
