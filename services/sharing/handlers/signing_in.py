"""Signing in by an agency's own identity provider. Who somebody is is found out here (`vouching.py`), not by
the gateway.

What goes wrong before the provider has vouched for somebody has one answer, `sign_in_failed`, whatever it
was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from services.chassis import context
from services.chassis.logs import log
from services.chassis.rpc import rpc
from services.chassis.stored import Stored
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    AccountDisabled,
    BadCredentials,
    ConcordatError,
    NotVisible,
    ProviderAway,
    SignInFailed,
    TotpRequired,
    Unavailable,
)
from services.contracts.records import Actor
from services.contracts.sharing.identity_providers import BeginSignIn, FinishSignIn, SignInBegun
from services.contracts.sharing.sessions import SessionCreated
from services.sharing.domain import limits, sign_ins
from services.sharing.domain.identifying import user_musts
from services.sharing.domain.people import User
from services.sharing.domain.sessions import Session
from services.sharing.domain.sign_ins import NotBelieved, SignIn
from services.sharing.domain.tokens import Token, session_secret
from services.sharing.handlers.identity import REFUSALS, UNKNOWN
from services.sharing.handlers.second_factors import wanted_of
from services.sharing.handlers.sessions import Sessions
from services.sharing.handlers.vouching import Vouching, actor_of
from services.sharing.providers import host_of
from services.sharing.stores.identity_providers import SignInStore
from services.sharing.stores.steps import STEPS

ACTION = "session.sign_in"
_LOOK_AGAIN = 0.05


class SigningIn(Sessions, Vouching):
    sign_ins: SignInStore = Stored(SignInStore, STEPS)

    @rpc(callers=("gateway",), expected_exceptions=(*REFUSALS, ProviderAway))
    def begin_sign_in(self, request: BeginSignIn) -> SignInBegun:
        """Counted against the address until it has succeeded: each leaves something behind here for a
        while."""
        self.authority.present()
        now = self.now()
        attempt = self.attempts.begin(_begun(request.address), now)
        provider = self.identity_providers.by_alias(request.alias)
        if provider is None:
            raise NotVisible
        metadata = self.providers.metadata(provider.issuer, demo=self.settings.demo)
        state, binding = sign_ins.random_text(), sign_ins.random_text()
        sign_in = SignIn(
            id=sign_ins.hashed(state),
            binding=sign_ins.hashed(binding),
            agency_id=provider.agency_id,
            provider_version=provider.version,
            nonce=sign_ins.random_text(),
            verifier=sign_ins.random_text(),
            # One for each agency: what another's provider sends here comes back elsewhere (RFC 9700, 4.4.2).
            redirect_uri=f"{request.redirect_uri}/{provider.agency_id}",
            attempt=attempt,
            begun_at=now,
        )
        self.sign_ins.add(sign_in)
        url = self.providers.address(metadata, sign_in, state, provider.client_id)
        agency = self._standing(now).standing.agencies[provider.agency_id].name
        return SignInBegun(url=url, host=host_of(url), agency=agency, state=state, binding=binding)

    @rpc(callers=("gateway",), expected_exceptions=(*REFUSALS, ProviderAway))
    def finish_sign_in(self, request: FinishSignIn) -> SessionCreated:
        """A session. Of all who bring the same state one takes it; the same attempt, delivered twice, gets
        the same session."""
        self.authority.present()
        found, by = sign_ins.hashed(request.state), sign_ins.hashed(request.attempt)
        stage: sign_ins.Stage = "awaiting_code" if request.code is None else "begun"
        taken = self.sign_ins.take(found, sign_ins.hashed(request.binding), stage, by, self.now())
        if taken is None:
            return self._again(request, by)
        with self._leaving(taken, by):
            if request.code is None:
                return self._with_code(request, taken, by)
            return self._with_provider(request, request.code, taken, by)

    # --- the provider's word ---

    def _with_provider(self, request: FinishSignIn, code: str, taken: SignIn, by: str) -> SessionCreated:
        """A second factor that there is is asked for at the first sign-in, whatever the provider says: the
        account was somebody's before it was tied, and what the provider is believed is its administrator's to
        set."""
        if request.agency_id != taken.agency_id:
            raise NotBelieved("another_callback")
        provider = self._provider_of(taken)
        said = self._believe(request, code, taken, provider)
        user, first = self._user_of(said, provider)
        self._judge(user, first=first)
        self.attempts.forgive(_begun(request.address), taken.attempt)
        taken = replace(taken, user_id=user.id, subject=said.subject, first=first)
        locked = self.accounts.locked(user.id)
        if locked is not None and locked.has_second_factor and (first or not said.strong):
            self.sign_ins.leave(
                taken.id, by, "awaiting_code", user_id=user.id, subject=said.subject, first=first
            )
            raise wanted_of(locked)
        return self._let_in(request, taken, by, strong=said.strong)

    # --- our own ---

    def _judge(self, user: User, *, first: bool = False) -> None:
        """The same refusals as after a password; who is invited comes in by the first sign-in. Raises
        AccountDisabled and what stands against the agency."""
        actor = actor_of(user)
        if user.state != "active" and not (first and user.state == "invited"):
            self._refuse(actor, AccountDisabled(), ACTION)
        self._check_agency(actor, user.agency_id, self._standing(self.now()), ACTION)

    def _with_code(self, request: FinishSignIn, taken: SignIn, by: str) -> SessionCreated:
        """The provider has vouched for the user; the second factor is still to be shown."""
        user, now = self._user_still(taken), self.now()
        locked = self.accounts.locked(user.id)
        nothing = request.totp is None and request.passkey is None
        if locked is None or not locked.has_second_factor or nothing:
            raise NotBelieved("no_code")
        self._judge(user, first=taken.first)
        keys = [limits.of_username(user.username), *_keys(request.address)]
        try:
            attempt = self.attempts.begin(keys, now)
            self._check_second(
                locked,
                request.totp,
                request.passkey,
                purpose="sign_in",
                bound_to=taken.id,
                once=request.attempt,
                now=now,
            )
        except ConcordatError as problem:
            self.sign_ins.leave(taken.id, by, "awaiting_code")
            if isinstance(problem, BadCredentials):
                self._refused(actor_of(user), problem, ACTION)
            raise
        self.attempts.forgive(keys, attempt)
        return self._let_in(request, taken, by, strong=False)

    def _let_in(self, request: FinishSignIn, taken: SignIn, by: str, *, strong: bool) -> SessionCreated:
        """Everything has been shown. A first sign-in ties the user to the subject. Raises NotBelieved."""
        session_id, user = new_event_id(), self._user_still(taken)
        if taken.first and not user.is_bound:
            user = self._bind(user, self._provider_of(taken).issuer, str(taken.subject))
        self.sign_ins.leave(taken.id, by, "over", user_id=user.id, session_id=session_id, strong=strong)
        return self._session(request, user, session_id, strong=strong)

    def _session(self, request: FinishSignIn, user: User, session_id: str, *, strong: bool) -> SessionCreated:
        now = self.now()
        token = Token("u", user.id, session_secret(request.state, request.attempt))
        until = now + self.settings.limits.longest
        session = Session(session_id, token.hash, now, now, until, federated=True, strong=strong)
        must = user_musts(user, self._standing(now), self.settings.limits, now, session)
        once = sign_ins.hashed(request.attempt)
        return self._begin_with("user", token, session, actor_of(user), once, must=must, action=ACTION)

    def _again(self, request: FinishSignIn, by: str) -> SessionCreated:
        """The same attempt, delivered once more while the first is at it, waits for what comes of that;
        anybody else comes too late. Raises SignInFailed, TotpRequired."""
        serving = context.current()
        while True:
            found = self.sign_ins.taken(sign_ins.hashed(request.state), sign_ins.hashed(request.binding), by)
            if found is None:
                raise SignInFailed(cause="not its turn")
            if found.stage == "awaiting_code":
                raise TotpRequired
            if found.stage == "over" and found.user_id is not None and found.session_id is not None:
                user = self.users.load(found.user_id)
                self._judge(user)
                return self._session(request, user, found.session_id, strong=found.strong)
            if found.stage != "busy":
                raise SignInFailed
            if serving is None or serving.deadline.left() < 4 * _LOOK_AGAIN:
                raise Unavailable(cause="sign-in under way")
            time.sleep(_LOOK_AGAIN)

    @contextmanager
    def _leaving(self, taken: SignIn, by: str) -> Iterator[None]:
        """Whatever comes of it, nobody waits for it and nobody takes it again. Raises SignInFailed for what
        is not believed."""
        try:
            yield
        except NotBelieved as problem:
            raise self._failed(taken.agency_id, problem.reason) from None
        except ProviderAway as problem:
            self.keep(_nobody(taken.agency_id), ACTION, code=problem.public_code)
            raise
        finally:
            self.sign_ins.leave(taken.id, by, "failed")

    def _failed(self, agency_id: str, reason: str) -> SignInFailed:
        """What to raise; what was wrong is for the operator, whom it was about is nowhere."""
        log.info("sign_in_refused", reason=reason)
        problem = SignInFailed(cause=reason)
        self.keep(_nobody(agency_id), ACTION, code=problem.code)
        return problem


def _begun(address: str | None) -> list[str]:
    return [limits.of_sign_in(address)] if address else []


def _keys(address: str | None) -> list[str]:
    return [limits.of_address(address)] if address else []


def _nobody(agency_id: str) -> Actor:
    return Actor(kind="user", id=UNKNOWN, agency_id=agency_id)
