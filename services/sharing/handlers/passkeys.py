"""Passkeys of the own account, and the questions that they answer at log-in and for a step-up."""

from __future__ import annotations

import secrets

from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    BadCredentials,
    FieldError,
    Invalid,
    InvalidTransition,
    NotBuilt,
    NotVisible,
    PasskeyNotEnrolled,
    SignInFailed,
    Unauthenticated,
)
from services.contracts.messages import Request
from services.contracts.sharing.passkeys import (
    AddPasskey,
    Attestation,
    BeginLogIn,
    BeginPasskey,
    BeginSignInChallenge,
    BeginStepUp,
    ListPasskeys,
    PasskeyChallenge,
    PasskeyEnrolment,
    PasskeyPage,
    PasskeyUser,
    PasskeyView,
    RemovePasskey,
)
from services.contracts.views import Empty
from services.sharing.domain import limits, passkeys, sign_ins
from services.sharing.domain.passkeys import Challenge, NotProved, Passkey, Purpose, Site
from services.sharing.domain.totp import ISSUER
from services.sharing.handlers.account import Account
from services.sharing.handlers.identity import REFUSALS, Made
from services.sharing.handlers.second_factors import passkey_object, tell_of_passkey
from services.sharing.handlers.signing_in import SigningIn
from services.sharing.stores.principals import Locked

_NOT_VALID = FieldError("/attestation", "passkey_not_valid", "This passkey could not be checked.")
_TOO_MANY = FieldError("/name", "too_many_passkeys", "Remove a passkey first: there are as many as can be.")


class Passkeys(Account, SigningIn):
    # --- enrolment ---

    @command(expected_exceptions=(*REFUSALS, NotBuilt))
    def begin_passkey(self, request: BeginPasskey, caller: Caller) -> PasskeyEnrolment:
        """The question to a new authenticator. Where there is a second factor, it is given afresh first."""
        site, locked = self._passkey_site(), self._locked(caller)
        if locked.has_second_factor:
            self._require_fresh(caller)
        if len(locked.passkeys) >= passkeys.MOST_EACH:
            raise Invalid(errors=(_TOO_MANY,))
        asked = self._ask_once(request, caller, "enrol")
        user = locked.user
        return PasskeyEnrolment(
            id=asked.id,
            challenge=passkeys.write(asked.challenge),
            rp_id=site.rp_id,
            rp_name=ISSUER,
            user=PasskeyUser(id=passkeys.write(user.id.encode()), name=user.username, display_name=user.name),
            algorithms=tuple(int(one) for one in passkeys.ALGORITHMS),
            credential_ids=tuple(one.credential_id for one in locked.passkeys),
            expires_at=asked.ends_at,
        )

    @command(expected_exceptions=(*REFUSALS, NotBuilt))
    def add_passkey(self, request: AddPasskey, caller: Caller) -> PasskeyView:
        """From now on it counts at log-in, and every other session ends. The person is told: an added key is
        a way in. What was asked before there was a second factor adds none beside it."""
        site, given = self._passkey_site(), request.passkey
        by = _by(caller, self.commands.key())

        def body(session: Session, emit: Emit) -> Made:
            first = not self._locked(caller).has_second_factor
            if not first and self.commands.done(request, Made) is None:
                self._require_fresh(caller)
            new = self._made_passkey(given, caller, site, by)
            if not self.passkeys.add(caller.id, new, session, first=first, keep_session=caller.session_id):
                full = len(self._locked(caller).passkeys) >= passkeys.MOST_EACH
                raise Invalid(errors=(_TOO_MANY if full else _NOT_VALID,))
            tell_of_passkey(emit, "passkey_added", caller.id, (f"u:{caller.id}",))
            self.keep(caller, "passkey.enrol", passkey_object(new.id, caller.agency_id))
            return Made(id=new.id)

        try:
            made = self.commands.run(request, Made, body)
        except Invalid as problem:
            self.keep(caller, "passkey.enrol", code=problem.code)
            raise
        for one in self._locked(caller).passkeys:
            if one.id == made.id:
                return _view(one)
        raise NotVisible  # removed since: a repetition tells of nothing that is no more

    def _made_passkey(self, given: Attestation, caller: Caller, site: Site, by: str) -> Passkey:
        """Raises Invalid, one answer whatever is wrong; what it was is for the operator."""
        now = self.now()
        try:
            asked = self.passkeys.take(
                given.challenge_id,
                caller.id,
                purpose="enrol",
                bound_to=str(caller.session_id),
                by=by,
                now=now,
            )
            if asked is None:
                raise NotProved("challenge")
            made = passkeys.enrolment(given, asked.challenge, site)
        except NotProved as problem:
            log.info("passkey_refused", reason=problem.reason)
            raise Invalid(errors=(_NOT_VALID,)) from None
        return Passkey(new_event_id(), made.credential_id, made.public_key, made.sign_count, given.name, now)

    # --- the own ones ---

    @rpc(expected_exceptions=REFUSALS)
    def list_passkeys(self, request: ListPasskeys, caller: Caller) -> PasskeyPage:
        """The caller's own, oldest first."""
        return PasskeyPage(items=tuple(_view(one) for one in self._locked(caller).passkeys), next=None)

    @command(expected_exceptions=REFUSALS)
    def remove_passkey(self, request: RemovePasskey, caller: Caller) -> Empty:
        """It opens nothing any more, from this moment on, and every other session ends."""

        def body(session: Session, emit: Emit) -> Made:
            self._require_fresh(caller)
            there = any(one.id == request.passkey_id for one in self._locked(caller).passkeys)
            if not there and (done := self.commands.done(request, Made)) is not None:
                return done
            if not there:
                raise NotVisible
            if not self.passkeys.remove(
                caller.id,
                request.passkey_id,
                session,
                may_be_last=self.settings.demo,
                keep_session=caller.session_id,
            ):
                raise InvalidTransition(cause="last second factor")
            tell_of_passkey(emit, "passkey_removed", caller.id, (f"u:{caller.id}",))
            self.keep(caller, "passkey.remove", passkey_object(request.passkey_id, caller.agency_id))
            return Made(id=request.passkey_id)

        self.commands.run(request, Made, body)
        return Empty()

    # --- questions to those that there are ---

    @command(expected_exceptions=(*REFUSALS, NotBuilt))
    def begin_step_up(self, request: BeginStepUp, caller: Caller) -> PasskeyChallenge:
        locked = self._locked(caller)
        self._passkey_site_for(locked)
        return self._challenge_to(locked, self._ask_once(request, caller, "step_up"))

    @rpc(callers=("gateway",), expected_exceptions=(*REFUSALS, NotBuilt))
    def begin_log_in(self, request: BeginLogIn) -> PasskeyChallenge:
        """Which passkeys an account has is told to who has its password, and tried as often as at log-in."""
        given, now = request.credentials, self.now()
        keys = [limits.of_username(given.username)]
        keys += [limits.of_address(request.address)] if request.address else []
        attempt = self.attempts.begin(keys, now)
        found = self.accounts.locked_by_username(given.username)
        try:
            locked = self._check_password(found, given.password)
        except BadCredentials as problem:
            self._refused(self._actor_of(found), problem)
            raise
        self.attempts.forgive(keys, attempt)
        self._passkey_site_for(locked)
        asked = self._new_challenge(locked.user.id, "log_in", "")
        self.passkeys.ask(asked)
        return self._challenge_to(locked, asked)

    @rpc(callers=("gateway",), expected_exceptions=(*REFUSALS, NotBuilt))
    def begin_sign_in_challenge(self, request: BeginSignInChallenge) -> PasskeyChallenge:
        """For whom the agency's provider has vouched, and of whom a second factor is asked."""
        found, binding = sign_ins.hashed(request.state), sign_ins.hashed(request.binding)
        user_id = self.sign_ins.awaiting(found, binding, self.now())
        locked = self.accounts.locked(user_id) if user_id else None
        if locked is None:
            raise SignInFailed(cause="not its turn")
        self._passkey_site_for(locked)
        asked = self._new_challenge(locked.user.id, "sign_in", found)
        self.passkeys.ask(asked)
        return self._challenge_to(locked, asked)

    # --- what they have in common ---

    def _passkey_site(self) -> Site:
        """Raises NotBuilt: for which address passkeys are made is the operator's to say."""
        site = self.settings.passkey_site
        if site is None:
            raise NotBuilt(cause="no passkey_rp_id")
        return site

    def _passkey_site_for(self, locked: Locked) -> Site:
        """Raises PasskeyNotEnrolled, NotBuilt."""
        if not locked.passkeys:
            raise PasskeyNotEnrolled
        return self._passkey_site()

    def _new_challenge(self, user_id: str, purpose: Purpose, bound_to: str) -> Challenge:
        challenge = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
        return Challenge(new_event_id(), challenge, purpose, user_id, bound_to, self.now() + passkeys.LASTS)

    def _ask_once(self, request: Request, caller: Caller, purpose: Purpose) -> Challenge:
        """The same command asks the same question. Raises InvalidTransition once it was answered, or its time
        is over."""
        if caller.session_id is None:
            raise Unauthenticated
        new = self._new_challenge(caller.id, purpose, caller.session_id)

        def body(session: Session, _emit: Emit) -> Made:
            self.passkeys.ask(new, session)
            return Made(id=new.id)

        asked = self.passkeys.asked(self.commands.run(request, Made, body).id, self.now())
        if asked is None:
            raise InvalidTransition(cause="challenge over")
        return asked

    def _challenge_to(self, locked: Locked, asked: Challenge) -> PasskeyChallenge:
        return PasskeyChallenge(
            id=asked.id,
            challenge=passkeys.write(asked.challenge),
            rp_id=self._passkey_site().rp_id,
            credential_ids=tuple(one.credential_id for one in locked.passkeys),
            expires_at=asked.ends_at,
        )


def _by(caller: Caller, key: str) -> str:
    return f"{caller.id}/{key}"


def _view(one: Passkey) -> PasskeyView:
    return PasskeyView(id=one.id, name=one.name, created_at=one.created_at, last_used_at=one.last_used_at)
