"""A fresh code of the authenticator, or a passkey, lifts, for a while and in one session, what an agency lets
it lift; and is asked for before the second factors themselves are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, TotpNotEnrolled, Unauthenticated
from services.contracts.records import Object
from services.contracts.sharing.passkeys import Assertion
from services.contracts.sharing.sessions import SteppedUp, StepUp
from services.sharing.domain import limits, totp
from services.sharing.domain.passkeys import NotProved
from services.sharing.domain.sessions import STEP_UP_LASTS
from services.sharing.handlers.identity import REFUSALS, Made
from services.sharing.handlers.second_factors import SecondFactors
from services.sharing.stores.principals import Locked

_WRONG_CODE = FieldError("/code", "wrong_code", "This is not the present code.")
_NOT_VALID = FieldError("/passkey", "passkey_not_valid", "This passkey could not be checked.")
_ONE_OF_TWO = FieldError("/code", "required", "A code or a passkey is needed, and one of them alone.")


class StepUps(SecondFactors):
    @command(expected_exceptions=REFUSALS)
    def step_up(self, request: StepUp, caller: Caller) -> SteppedUp:
        """Each code and each answer once, and tried as often as at log-in; what fails is in the log, too."""
        locked, now, given = self.accounts.locked(caller.id), self.now(), request.step_up
        if locked is None or caller.session_id is None:
            raise Unauthenticated
        if (given.code is None) == (given.passkey is None):
            raise Invalid(errors=(_ONE_OF_TWO,))
        if not locked.has_second_factor:
            raise TotpNotEnrolled
        keys = [limits.of_username(locked.user.username)]
        attempt = self.attempts.begin(keys, now)
        session_id, until = caller.session_id, now + STEP_UP_LASTS
        went_wrong: list[Callable[[], None]] = []

        def body(session: Session, _emit: Emit) -> Made:
            went_wrong.clear()
            if given.passkey is None:
                step = _step(locked, str(given.code), now)
                if step is None or not self.step_ups.take(
                    caller.id, session_id, step=step, until=until, transaction=session
                ):
                    raise Invalid(errors=(_WRONG_CODE,))
            else:
                self._show_passkey(locked, given.passkey, caller, session, went_wrong)
                if not self.step_ups.lift(caller.id, session_id, until=until, transaction=session):
                    raise Unauthenticated
            self.keep(caller, "session.step_up", _object(caller))
            return Made(id=session_id)

        try:
            self.commands.run(request, Made, body)
        except Invalid as problem:
            for tell in went_wrong:
                tell()
            self.keep(caller, "session.step_up", _object(caller), code=problem.code)
            raise
        self.attempts.forgive(keys, attempt)
        for one in self.accounts.sessions(caller.kind, caller.id):
            if one.id == session_id and one.stepped_up_until is not None:
                return SteppedUp(until=one.stepped_up_until)
        raise Unauthenticated

    def _show_passkey(
        self,
        locked: Locked,
        given: Assertion,
        caller: Caller,
        session: Session,
        went_wrong: list[Callable[[], None]],
    ) -> None:
        """Raises Invalid; `went_wrong` is what to tell of it once the transaction is no more."""
        try:
            self._prove(
                locked,
                given,
                purpose="step_up",
                bound_to=str(caller.session_id),
                by=f"{caller.id}/{self.commands.key()}",
                now=self.now(),
                transaction=session,
            )
        except NotProved as problem:
            found = problem
            went_wrong.append(lambda: self._not_proved(locked, given, found))
            raise Invalid(errors=(_NOT_VALID,)) from None


def _step(locked: Locked, code: str, now: datetime) -> int | None:
    return None if locked.totp_secret is None else totp.step_of(locked.totp_secret, code, now)


def _object(caller: Caller) -> Object:
    return Object(type="session", id=str(caller.session_id), agency_id=caller.agency_id)
