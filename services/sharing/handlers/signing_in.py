"""Signing in by an agency's own identity provider. Who somebody is is found out here, not by the gateway: the
code is exchanged here, and the token is checked here.

What goes wrong before the provider has vouched for somebody has one answer, `sign_in_failed`, whatever it
was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session as Transaction
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
from services.contracts.messages import Request
from services.contracts.records import Actor, Object
from services.contracts.sharing.identity_providers import BeginSignIn, FinishSignIn, SignInBegun
from services.contracts.sharing.sessions import SessionCreated
from services.sharing.domain import limits, sign_ins
from services.sharing.domain.id_tokens import Expected, UnknownKey, verify
from services.sharing.domain.identifying import user_musts
from services.sharing.domain.people import User
from services.sharing.domain.sessions import Session
from services.sharing.domain.sign_ins import Asserted, NotBelieved, Provider, SignIn
from services.sharing.domain.tokens import Token
from services.sharing.handlers.identity import REFUSALS, UNKNOWN, Made
from services.sharing.handlers.identity_providers import Federated
from services.sharing.handlers.sessions import Sessions
from services.sharing.providers import Providers, host_of
from services.sharing.stores.identity_providers import SignInStore
from services.sharing.stores.steps import STEPS

_LOOK_AGAIN = 0.05


class Bind(Request):
    """What the tying of an account to a subject is remembered by."""

    user_id: str
    version: int


class SigningIn(Sessions, Federated):
    sign_ins: SignInStore = Stored(SignInStore, STEPS)
    providers = Providers()

    @rpc(callers=("gateway",), expected_exceptions=(*REFUSALS, ProviderAway))
    def begin_sign_in(self, request: BeginSignIn) -> SignInBegun:
        """Counted against the address until it has succeeded: each leaves something behind here for a
        while."""
        self.authority.present()
        now = self.now()
        attempt = self.attempts.begin(_keys(request.address), now)
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
            redirect_uri=request.redirect_uri,
            attempt=attempt,
            begun_at=now,
        )
        self.sign_ins.add(sign_in)
        url = self.providers.address(metadata, sign_in, state, provider.client_id)
        return SignInBegun(url=url, host=host_of(url), state=state, binding=binding)

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
        provider, version = self.identity_providers.of(taken.agency_id)
        if provider is None or version != taken.provider_version:
            raise self._failed(taken.agency_id, "provider_changed")
        try:
            said = self._believe(request, code, taken, provider)
            user = self._user_of(said, provider)
        except NotBelieved as problem:
            raise self._failed(taken.agency_id, problem.reason) from None
        self._judge(user)
        self.attempts.forgive(_keys(request.address), taken.attempt)
        locked = self.accounts.locked(user.id)
        if locked is not None and locked.totp_secret is not None and not said.strong:
            self.sign_ins.leave(taken.id, by, "awaiting_code", user_id=user.id)
            raise TotpRequired
        return self._let_in(request, taken, by, user, strong=said.strong)

    def _believe(self, request: FinishSignIn, code: str, taken: SignIn, provider: Provider) -> Asserted:
        """Raises NotBelieved, ProviderAway."""
        demo, client = self.settings.demo, (provider.client_id, self._secret(provider))
        metadata = self.providers.metadata(provider.issuer, demo=demo)
        if request.issuer != provider.issuer and (request.issuer is not None or metadata.names_itself):
            raise NotBelieved("another_issuer")
        tokens = self.providers.exchange(metadata, taken, code, client, demo=demo)
        expected = Expected(provider.issuer, provider.client_id, taken.nonce, tokens.access_token)
        now = self.now()
        try:
            claims = verify(tokens.id_token, self.providers.keys(metadata, demo=demo), expected, now)
        except UnknownKey:
            keys = self.providers.keys(metadata, demo=demo, anew=True)
            claims = verify(tokens.id_token, keys, expected, now)
        return sign_ins.asserted(claims, provider.claim, provider.second_factors)

    def _user_of(self, said: Asserted, provider: Provider) -> User:
        """Who it is here: the one who has signed in as this subject before, else the one whom the claim
        names. Nobody is made. Raises NotBelieved."""
        agency_id, issuer = provider.agency_id, provider.issuer
        user = self.identities.bound(agency_id, issuer, said.subject)
        if user is None:
            if said.value is None:
                raise NotBelieved("claim_missing")
            user = self.identities.unbound(agency_id, issuer, provider.claim, said.value)
            if user is None:
                raise NotBelieved("nobody")
            if not sign_ins.may_be_vouched_for(user, agency_id):
                raise NotBelieved("role_beyond_agency")
            if user.state == "disabled":
                self._refuse(_actor(user), AccountDisabled())
            return self._bind(user, issuer, said.subject)
        if not sign_ins.may_be_vouched_for(user, agency_id):
            raise NotBelieved("role_beyond_agency")
        return user

    def _bind(self, user: User, issuer: str, subject: str) -> User:
        def body(transaction: Transaction, _emit: Emit) -> Made:
            now = self.now()
            if not self.identities.bind(user, issuer, subject, now=now, session=transaction):
                raise NotVisible
            what = "user.activate" if user.state == "invited" else "user.bind"
            this = Object(type="user", id=user.id, agency_id=user.agency_id, version=user.version + 1)
            self.keep(_actor(user), what, this)
            return Made(id=user.id)

        with context.keyed(new_event_id()):
            try:
                self.commands.run(Bind(user_id=user.id, version=user.version), Made, body)
            except NotVisible:
                raise NotBelieved("changed_meanwhile") from None
        return self.users.load(user.id)

    # --- our own ---

    def _judge(self, user: User) -> None:
        """The same refusals as after a password. Raises AccountDisabled and what stands against the
        agency."""
        if user.state != "active":
            self._refuse(_actor(user), AccountDisabled())
        self._check_agency(_actor(user), user.agency_id, self._standing(self.now()))

    def _with_code(self, request: FinishSignIn, taken: SignIn, by: str) -> SessionCreated:
        """The provider has vouched for the user; the authenticator is still to be shown."""
        locked = self.accounts.locked(str(taken.user_id))
        if locked is None or request.totp is None:
            raise self._failed(taken.agency_id, "no_code")
        user, now = locked.user, self.now()
        self._judge(user)
        keys = [limits.of_username(user.username), *_keys(request.address)]
        try:
            attempt = self.attempts.begin(keys, now)
            self._check_totp(locked, request.totp, request.attempt, now)
        except ConcordatError as problem:
            self.sign_ins.leave(taken.id, by, "awaiting_code")
            if isinstance(problem, BadCredentials):
                self._refused(_actor(user), problem)
            raise
        self.attempts.forgive(keys, attempt)
        return self._let_in(request, taken, by, user, strong=False)

    def _let_in(
        self, request: FinishSignIn, taken: SignIn, by: str, user: User, *, strong: bool
    ) -> SessionCreated:
        session_id = new_event_id()
        self.sign_ins.leave(taken.id, by, "over", user_id=user.id, session_id=session_id, strong=strong)
        return self._session(request, user, session_id, strong=strong)

    def _session(self, request: FinishSignIn, user: User, session_id: str, *, strong: bool) -> SessionCreated:
        now = self.now()
        token = Token("u", user.id, sign_ins.session_secret(request.state, request.attempt))
        until = now + self.settings.limits.longest
        session = Session(session_id, token.hash, now, now, until, federated=True, strong=strong)
        must = user_musts(user, self._standing(now), self.settings.limits, now, session)
        once = sign_ins.hashed(request.attempt)
        return self._begin_with(
            "user", token, session, _actor(user), once, must=must, action="session.sign_in"
        )

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
        """Whatever comes of it, nobody waits for it and nobody takes it again."""
        try:
            yield
        except ProviderAway as problem:
            self.keep(_nobody(taken.agency_id), "session.sign_in", code=problem.public_code)
            raise
        finally:
            self.sign_ins.leave(taken.id, by, "failed")

    def _failed(self, agency_id: str, reason: str) -> SignInFailed:
        """What to raise; what was wrong is for the operator, whom it was about is nowhere."""
        log.info("sign_in_refused", reason=reason)
        problem = SignInFailed(cause=reason)
        self.keep(_nobody(agency_id), "session.sign_in", code=problem.code)
        return problem

    def _secret(self, provider: Provider) -> str:
        try:
            return self.safe.open(provider.kid, provider.secret).decode()
        except LookupError:
            raise ProviderAway(cause="secret cannot be opened") from None


def _keys(address: str | None) -> list[str]:
    return [limits.of_address(address)] if address else []


def _actor(user: User) -> Actor:
    return Actor(kind="user", id=user.id, agency_id=user.agency_id)


def _nobody(agency_id: str) -> Actor:
    return Actor(kind="user", id=UNKNOWN, agency_id=agency_id)
