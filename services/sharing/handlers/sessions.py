"""Log-in, and the sessions that it makes."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Literal, NoReturn

from services.chassis import offload
from services.chassis.commands import Emit
from services.chassis.mongo import Session as Transaction
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.errors import (
    AccountDisabled,
    BadCredentials,
    ConcordatError,
    NotVisible,
    TotpRequired,
    Unauthenticated,
)
from services.contracts.records import Actor, Object
from services.contracts.sharing.sessions import (
    EndCurrentSession,
    EndSession,
    GetCurrentSession,
    ListSessions,
    LogIn,
    SessionCreated,
    SessionDevice,
    SessionItem,
    SessionPage,
    SessionView,
)
from services.contracts.views import Empty
from services.contracts.vocabulary import Must
from services.sharing.domain import limits, passwords, sessions, tokens
from services.sharing.domain.clients import Client, from_here, usable
from services.sharing.domain.identifying import check_accountable, user_musts
from services.sharing.domain.london import day_of
from services.sharing.domain.people import User
from services.sharing.domain.sessions import Session
from services.sharing.domain.standing import StandingOn
from services.sharing.domain.tokens import Token
from services.sharing.handlers.identity import REFUSALS, UNKNOWN, Made
from services.sharing.handlers.second_factors import SecondFactors
from services.sharing.stores.principals import Locked

_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$UYrC73voovim4beeCgaeRw$RDweWiA3J8ZkCY40ObeUTQZ6jbd1zlRfC/Bhb+EygkQ"
"""The hash that a password for a name that nobody has is compared with: the same work as for one that has."""
Kind = Literal["user", "client"]


class Sessions(SecondFactors):
    @rpc(callers=("gateway",), expected_exceptions=REFUSALS)
    def log_in(self, request: LogIn) -> SessionCreated:
        """A new session. Why an account may not is said only to who has its credentials."""
        if sessions.is_client(request.credentials):
            return self._log_in_client(request)
        return self._log_in_user(request)

    def _log_in_user(self, request: LogIn) -> SessionCreated:
        given, now, once = request.credentials, self.now(), _once(request)
        keys = _keys(str(given.username), request.address)
        attempt = self.attempts.begin(keys, now)
        locked = self.accounts.locked_by_username(str(given.username))
        try:
            locked = self._check_password(locked, str(given.password))
            self._check_second(
                locked,
                given.totp,
                given.passkey,
                purpose="log_in",
                bound_to="",
                once=tokens.hashed(once),
                now=now,
            )
        except TotpRequired:
            self.attempts.forgive(keys, attempt)
            raise
        except BadCredentials as problem:
            self._refused(_actor(locked), problem)
            raise
        self.attempts.forgive(keys, attempt)
        user, standing = locked.user, self._standing(now)
        if user.state != "active":
            self._refuse(_actor(locked), AccountDisabled())
        self._check_agency(_actor(locked), user.agency_id, standing)
        must_change = self._judge_anew(locked, str(given.password))
        must = user_musts(user, standing, self.settings.limits, now)
        if must_change and "change_password" not in must:
            must = ("change_password", *must)
        without = not locked.has_second_factor
        return self._begin("user", user.id, _actor(locked), once, must=must, now=now, without=without)

    def _check_password(self, locked: Locked | None, password: str) -> Locked:
        """Raises BadCredentials, after as much work whoever was meant: the right password where passwords are
        refused is a wrong one, so that the answer says nothing of it."""
        refused = self.refuses_password(locked.user if locked is not None else None)
        stored = locked.password_hash if locked is not None and not refused else None
        right = offload.verify_password(stored or _NOBODY, passwords.normal(password))
        if locked is None or stored is None or not right:
            raise BadCredentials
        return locked

    def _judge_anew(self, locked: Locked, password: str) -> bool:
        """Whether the password, seen now in the clear, has to be changed: the list of common ones grows.

        Its hash is made anew where parameters have changed.
        """
        stored = str(locked.password_hash)
        bad = passwords.fault(password, locked.user.username) is not None
        outdated = offload.outdated(stored)
        if outdated or bad != locked.user.must_change:
            new = offload.hash_password(passwords.normal(password)) if outdated else stored
            self.accounts.keep_hash(locked.user.id, stored, new, must_change=bad)
        return bad

    def _log_in_client(self, request: LogIn) -> SessionCreated:
        given, now, once = request.credentials, self.now(), _once(request)
        keys = _keys(str(given.client_id), request.address)
        attempt = self.attempts.begin(keys, now)
        found = self.accounts.secrets_of_client(str(given.client_id))
        client = found[0] if found else None
        actor = _client_actor(client)
        secrets = [one.hash for one in usable(found[1], now)] if found else []
        right = [tokens.matches(str(given.client_secret), one) for one in secrets]
        if client is None or not any(right):
            self._refuse(actor, BadCredentials())
        if not from_here(client.networks, request.address):
            self._refuse(actor, BadCredentials(cause="client from elsewhere"))
        self.attempts.forgive(keys, attempt)
        if not client.alive(now):
            self._refuse(actor, AccountDisabled())
        standing = self._standing(now)
        self._check_agency(actor, client.agency_id, standing)
        accountable = self.users.known([client.accountable_user_id]).get(client.accountable_user_id)
        try:
            check_accountable(accountable, client, standing, now)
        except ConcordatError as problem:
            self._refuse(actor, problem)
        return self._begin("client", client.id, actor, once, must=(), now=now)

    @staticmethod
    def _actor_of(locked: Locked | None) -> Actor:
        """Whoever tries to log in."""
        return _actor(locked)

    def _standing(self, now: datetime) -> StandingOn:
        return self.authority.present().standing(day_of(now))

    def _check_agency(
        self, actor: Actor, agency_id: str, standing: StandingOn, action: str = "session.create"
    ) -> None:
        refusal = standing.refusal(agency_id)
        if refusal is not None:
            self._refuse(actor, refusal, action)

    def _refuse(self, actor: Actor, problem: ConcordatError, action: str = "session.create") -> NoReturn:
        self._refused(actor, problem, action)
        raise problem

    def _refused(self, actor: Actor, problem: ConcordatError, action: str = "session.create") -> None:
        self.keep(actor, action, code=problem.code)

    def _begin(
        self,
        kind: Kind,
        who: str,
        actor: Actor,
        attempt: str,
        *,
        must: tuple[Must, ...],
        now: datetime,
        without: bool = False,
    ) -> SessionCreated:
        letter: tokens.Kind = "c" if kind == "client" else "u"
        about = f"{letter}{who}"
        token = Token(letter, who, tokens.session_secret(about, attempt))
        session = Session(
            tokens.session_id(about, attempt), token.hash, now, now, now + self.settings.limits.longest
        )
        once = tokens.hashed(attempt)
        action = "session.create"
        return self._begin_with(kind, token, session, actor, once, must=must, action=action, without=without)

    def _begin_with(
        self,
        kind: Kind,
        token: Token,
        session: Session,
        actor: Actor,
        once: str,
        *,
        must: tuple[Must, ...],
        action: str,
        without: bool = False,
    ) -> SessionCreated:
        """Record it, then let it begin. Raises AccountDisabled; `without`: TotpRequired, where somebody has
        enrolled a second factor since it was found that there is none to ask for."""
        who, lasts = token.principal_id, self.settings.limits
        self.keep(actor, action, Object(type="session", id=session.id, agency_id=actor.agency_id))
        begun = self.accounts.begin_session(kind, who, session, once, without=without)
        if begun is None:
            raise TotpRequired if without else AccountDisabled
        return SessionCreated(
            id=begun.id,
            token=token.text,
            expires_at=begun.expires_at,
            idle_expires_at=begun.idle_expires_at(lasts.idle),
            must=must,
        )

    @rpc(expected_exceptions=REFUSALS)
    def current_session(self, request: GetCurrentSession, caller: Caller) -> SessionView:
        """The session that asks."""
        name = self.devices.load(caller.device_id).name if caller.device_id else None
        device = SessionDevice(id=caller.device_id, name=name, device_class=caller.device_class)
        for one in self.accounts.sessions(caller.kind, caller.id):
            if one.id == caller.session_id:
                return SessionView(
                    id=one.id,
                    device=device,
                    stepped_up_until=one.stepped_up_until if one.stepped_up(self.now()) else None,
                    created_at=one.created_at,
                    expires_at=one.expires_at,
                    idle_expires_at=one.idle_expires_at(self.settings.limits.idle),
                    must=self.musts_of(caller),
                )
        raise Unauthenticated

    @command(expected_exceptions=REFUSALS)
    def end_current_session(self, request: EndCurrentSession, caller: Caller) -> Empty:
        """Log out."""
        self._end(request, caller, str(caller.session_id), missing_is_fine=True)
        return Empty()

    @rpc(expected_exceptions=REFUSALS)
    def list_sessions(self, request: ListSessions, caller: Caller) -> SessionPage:
        """The caller's own that are alive, newest first: so few that there is one page."""
        now, idle = self.now(), self.settings.limits.idle
        items = tuple(
            SessionItem(
                id=one.id,
                created_at=one.created_at,
                seen_at=one.seen_at,
                expires_at=one.expires_at,
                idle_expires_at=one.idle_expires_at(idle),
                current=one.id == caller.session_id,
            )
            for one in self.accounts.sessions(caller.kind, caller.id)
            if one.alive(now, idle)
        )
        return SessionPage(items=items, next=None)

    @command(expected_exceptions=REFUSALS)
    def end_session(self, request: EndSession, caller: Caller) -> Empty:
        """End one of the caller's own."""
        self._end(request, caller, request.session_id, missing_is_fine=False)
        return Empty()

    def _end(
        self,
        request: EndSession | EndCurrentSession,
        caller: Caller,
        session_id: str,
        *,
        missing_is_fine: bool,
    ) -> None:
        def body(transaction: Transaction, _emit: Emit) -> Made:
            there = self.accounts.end_session(caller.kind, caller.id, session_id, transaction)
            if not there and (first := self.commands.done(request, Made)) is not None:
                return first
            if not there and not missing_is_fine:
                raise NotVisible
            self.keep(
                caller, "session.end", Object(type="session", id=session_id, agency_id=caller.agency_id)
            )
            return Made(id=session_id)

        self.commands.run(request, Made, body)

    def musts_of(self, caller: Caller) -> tuple[Must, ...]:
        """What the caller has still to do."""
        if caller.kind != "user":
            return ()
        now = self.now()
        standing = self.standing.load().on(day_of(now))
        found = self.accounts.sessions(caller.kind, caller.id)
        session = next((one for one in found if one.id == caller.session_id), None)
        return user_musts(self.users.load(caller.id), standing, self.settings.limits, now, session)


def _once(request: LogIn) -> str:
    """What tells this log-in from every other. Not the request's id: clients choose that, and can read it."""
    return request.attempt or secrets.token_hex(32)


def _keys(name: str, address: str | None) -> list[str]:
    return [limits.of_username(name), *([limits.of_address(address)] if address else [])]


def _actor(locked: Locked | None) -> Actor:
    user: User | None = locked.user if locked else None
    return Actor(kind="user", id=user.id if user else UNKNOWN, agency_id=user.agency_id if user else UNKNOWN)


def _client_actor(client: Client | None) -> Actor:
    if client is None:
        return Actor(kind="client", id=UNKNOWN, agency_id=UNKNOWN)
    return Actor(
        kind="client",
        id=client.id,
        agency_id=client.agency_id,
        accountable_id=client.accountable_user_id,
    )
