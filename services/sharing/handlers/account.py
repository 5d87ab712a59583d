"""The own account: who one is, password, authenticator."""

from __future__ import annotations

from services.chassis import offload
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, InvalidTransition
from services.contracts.paging import Ref
from services.contracts.records import Object
from services.contracts.sharing.account import (
    ChangePassword,
    ConfirmTotp,
    GetMe,
    Me,
    PasswordChange,
    RecoveryCodes,
    SecondFactorKind,
    StartTotp,
    TotpStarted,
)
from services.contracts.views import Empty
from services.sharing.domain import limits, passwords, totp
from services.sharing.domain.people import User
from services.sharing.handlers.identity import REFUSALS, UNSAID, Made
from services.sharing.handlers.sessions import Sessions
from services.sharing.stores.principals import Locked


class Account(Sessions):
    @rpc(expected_exceptions=REFUSALS)
    def me(self, request: GetMe, caller: Caller) -> Me:
        """The caller, with its teams by name."""
        user = self.users.load(caller.id) if caller.kind == "user" else None
        teams = self.teams.known(caller.team_ids) if caller.team_ids else {}
        return Me(
            user=Ref(id=caller.id, name=caller.name or ""),
            agency=Ref(id=caller.agency_id, name=caller.agency_name or ""),
            teams=tuple(Ref(id=one, name=teams[one].name) for one in caller.team_ids if one in teams),
            roles=caller.roles,
            uses=caller.uses,
            must=self.musts_of(caller),
            second_factors=_second_factors(user),
        )

    @command(expected_exceptions=REFUSALS)
    def change_password(self, request: ChangePassword, caller: Caller) -> Empty:
        """Every other session ends."""
        given, locked, now = request.change, self._locked(caller), self.now()
        right = self._is_current(locked, given.current)
        stored, new_hash = str(locked.password_hash), ""
        if right:
            passwords.check(given.new, locked.user.username, "/new")
            if passwords.normal(given.new) == passwords.normal(given.current):
                raise Invalid(errors=(FieldError("/new", "same_as_before", "This is the present password."),))
            new_hash = offload.hash_password(passwords.normal(given.new))

        def body(session: Session, _emit: Emit) -> Made:
            if not right or not self.accounts.set_password(
                caller.id,
                former=stored,
                new=new_hash,
                keep_session=caller.session_id,
                now=now,
                transaction=session,
            ):
                raise Invalid(errors=(FieldError("/current", "wrong_password", "This is not right."),))
            self.keep(caller, "password.change", _object(caller))
            return Made(id=caller.id)

        unsaid = request.model_copy(update={"change": PasswordChange(current=UNSAID, new=UNSAID)})
        self.commands.run(unsaid, Made, body)
        return Empty()

    def _is_current(self, locked: Locked, password: str) -> bool:
        """Tried as often as at log-in, and no oftener."""
        keys = [limits.of_username(locked.user.username)]
        attempt = self.attempts.begin(keys, self.now())
        right = locked.password_hash is not None and offload.verify_password(
            locked.password_hash, passwords.normal(password)
        )
        if right:
            self.attempts.forgive(keys, attempt)
        return right

    @command(expected_exceptions=REFUSALS)
    def start_totp(self, request: StartTotp, caller: Caller) -> TotpStarted:
        """A secret for the authenticator; it counts once a code was confirmed. Where there are passkeys, one
        of them is shown first."""
        if self._locked(caller).passkeys:
            self._require_fresh(caller)

        def body(session: Session, _emit: Emit) -> Made:
            if not self.accounts.begin_totp(caller.id, totp.new_secret(), session):
                raise InvalidTransition(cause="enrolled already")
            self.keep(caller, "totp.start", _object(caller))
            return Made(id=caller.id)

        self.commands.run(request, Made, body)
        locked = self._locked(caller)
        if locked.totp_begun is None:
            raise InvalidTransition(cause="confirmed meanwhile")
        return TotpStarted(secret=locked.totp_begun, uri=totp.uri(locked.totp_begun, locked.user.username))

    @command(expected_exceptions=REFUSALS)
    def confirm_totp(self, request: ConfirmTotp, caller: Caller) -> RecoveryCodes:
        """From now on a code is asked for at log-in, and every other session ends. The recovery codes are
        shown here once."""
        locked, key = self._locked(caller), self.commands.key()
        secret = locked.totp_begun

        def body(session: Session, _emit: Emit) -> Made:
            if secret is None:
                raise InvalidTransition(cause="none begun")
            step = totp.step_of(secret, request.confirmation.code, self.now())
            if step is None:
                raise Invalid(errors=(FieldError("/code", "wrong_code", "This is not the present code."),))
            hashes = [totp.hash_recovery(one) for one in totp.recovery_codes(secret, key)]
            if not self.accounts.confirm_totp(
                caller.id,
                secret,
                step=step,
                recovery=hashes,
                keep_session=caller.session_id,
                transaction=session,
            ):
                raise InvalidTransition(cause="another one begun")
            self.keep(caller, "totp.enrol", _object(caller))
            return Made(id=caller.id)

        self.commands.run(request, Made, body)
        # A repetition comes here with the secret already confirmed, and gets the same codes.
        codes = totp.recovery_codes(str(secret or locked.totp_secret), key)
        return RecoveryCodes(recovery_codes=codes)

    def _locked(self, caller: Caller) -> Locked:
        """Raises NotVisible."""
        return self.accounts.locked(caller.id) or self._gone()

    def _gone(self) -> Locked:
        raise InvalidTransition(cause="account gone")


def _second_factors(user: User | None) -> tuple[SecondFactorKind, ...]:
    if user is None:
        return ()
    totp_kind: tuple[SecondFactorKind, ...] = ("totp",) if user.has_totp else ()
    return (*totp_kind, *(("passkey",) if user.has_passkey else ()))


def _object(caller: Caller) -> Object:
    return Object(type="user", id=caller.id, agency_id=caller.agency_id)
