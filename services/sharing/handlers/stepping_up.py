"""A fresh code of the authenticator lifts, for a while and in one session, what an agency lets it lift."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, TotpNotEnrolled, Unauthenticated
from services.contracts.records import Object
from services.contracts.sharing.sessions import SteppedUp, StepUp
from services.sharing.domain import limits, totp
from services.sharing.domain.sessions import STEP_UP_LASTS
from services.sharing.handlers.identity import REFUSALS, Identity, Made


class StepUps(Identity):
    @command(expected_exceptions=REFUSALS)
    def step_up(self, request: StepUp, caller: Caller) -> SteppedUp:
        """Each code once, and tried as often as at log-in; what fails is in the log, too."""
        locked, now = self.accounts.locked(caller.id), self.now()
        if locked is None or caller.session_id is None:
            raise Unauthenticated
        if locked.totp_secret is None:
            raise TotpNotEnrolled
        keys = [limits.of_username(locked.user.username)]
        attempt = self.attempts.begin(keys, now)
        session_id, step = caller.session_id, totp.step_of(locked.totp_secret, request.step_up.code, now)

        def body(session: Session, _emit: Emit) -> Made:
            until = now + STEP_UP_LASTS
            if step is None or not self.step_ups.take(
                caller.id, session_id, step=step, until=until, transaction=session
            ):
                raise Invalid(errors=(FieldError("/code", "wrong_code", "This is not the present code."),))
            self.keep(caller, "session.step_up", _object(caller))
            return Made(id=session_id)

        try:
            self.commands.run(request, Made, body)
        except Invalid as problem:
            self.keep(caller, "session.step_up", _object(caller), code=problem.code)
            raise
        self.attempts.forgive(keys, attempt)
        for one in self.accounts.sessions(caller.kind, caller.id):
            if one.id == session_id and one.stepped_up_until is not None:
                return SteppedUp(until=one.stepped_up_until)
        raise Unauthenticated


def _object(caller: Caller) -> Object:
    return Object(type="session", id=str(caller.session_id), agency_id=caller.agency_id)
