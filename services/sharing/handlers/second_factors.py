"""What is asked for after the password: a code of the authenticator, a recovery code, or a passkey."""

from __future__ import annotations

from datetime import datetime

from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session as Transaction
from services.chassis.stored import Stored
from services.contracts.alerts import ACCESS_REMINDER, Reminder, office_keys
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import BadCredentials, PasskeyRequired, StepUpRequired, TotpRequired
from services.contracts.messages import Request
from services.contracts.records import Actor, Object
from services.contracts.sharing.passkeys import Assertion
from services.sharing.domain import passkeys, totp
from services.sharing.domain.passkeys import CountBack, NotProved, Passkey, Purpose
from services.sharing.domain.people import User
from services.sharing.handlers.identity import Identity, Made
from services.sharing.stores.passkeys import PasskeyStore
from services.sharing.stores.principals import Locked
from services.sharing.stores.steps import STEPS


class Tell(Request):
    """What a notice about a passkey is remembered by."""

    passkey_id: str


class SecondFactors(Identity):
    passkeys: PasskeyStore = Stored(PasskeyStore, STEPS)

    def _check_second(
        self,
        locked: Locked,
        code: str | None,
        passkey: Assertion | None,
        *,
        purpose: Purpose,
        bound_to: str,
        once: str,
        now: datetime,
    ) -> None:
        """Raises TotpRequired, PasskeyRequired, BadCredentials. What is given is good for one attempt,
        `once`."""
        if not locked.has_second_factor:
            return
        if passkey is not None:
            self._check_passkey(locked, passkey, purpose=purpose, bound_to=bound_to, once=once, now=now)
        elif code is not None:
            self._check_code(locked, code, once, now)
        else:
            raise wanted_of(locked)

    def _check_code(self, locked: Locked, code: str, once: str, now: datetime) -> None:
        if locked.totp_secret is None:
            raise BadCredentials
        step = totp.step_of(locked.totp_secret, code.strip(), now)
        if step is not None:
            used = self.accounts.use_totp(locked.user.id, step, once)
        else:
            used = self.accounts.use_recovery(locked.user.id, totp.hash_recovery(code), once)
        if not used:
            raise BadCredentials

    def _check_passkey(
        self, locked: Locked, given: Assertion, *, purpose: Purpose, bound_to: str, once: str, now: datetime
    ) -> None:
        try:
            self._prove(locked, given, purpose=purpose, bound_to=bound_to, by=once, now=now)
        except NotProved as problem:
            self._not_proved(locked, given, problem)
            raise BadCredentials(cause=problem.reason) from None

    def _prove(
        self,
        locked: Locked,
        given: Assertion,
        *,
        purpose: Purpose,
        bound_to: str,
        by: str,
        now: datetime,
        transaction: Transaction | None = None,
    ) -> Passkey:
        """The passkey that answers. Its challenge is used up first, whatever it answers. Raises NotProved;
        CountBack where all but the counter was right."""
        site = self.settings.passkey_site
        if site is None:
            raise NotProved("switched_off")
        asked = self.passkeys.take(
            given.challenge_id, locked.user.id, purpose=purpose, bound_to=bound_to, by=by, now=now
        )
        if asked is None:
            raise NotProved("challenge")
        passkey = passkeys.of_credential(locked.passkeys, given.credential_id)
        count = passkeys.assertion(given, passkey, asked.challenge, site)
        if passkey.last_request == by:  # the same attempt, delivered again
            return passkey
        if passkeys.went_back(passkey.sign_count, count):
            raise CountBack
        used = self.passkeys.use(locked.user.id, passkey.id, count=count, by=by, now=now, session=transaction)
        if not used:
            raise NotProved("used_meanwhile")
        return passkey

    def _not_proved(self, locked: Locked, given: Assertion, problem: NotProved) -> None:
        """What was wrong is for the operator. A counter that went back is for the log, the person and the
        agency's officer: somebody may have a copy of the key."""
        log.info("passkey_refused", reason=problem.reason)
        if isinstance(problem, CountBack):
            passkey, user = passkeys.of_credential(locked.passkeys, given.credential_id), locked.user
            actor = Actor(kind="user", id=user.id, agency_id=user.agency_id)
            self.keep(
                actor, "passkey.refuse", passkey_object(passkey.id, user.agency_id), code=problem.reason
            )
            self._call_out(user, passkey.id)

    def _call_out(self, user: User, passkey_id: str) -> None:
        def body(_transaction: Transaction, emit: Emit) -> Made:
            tell_of_passkey(emit, "passkey_copied", user.id, (f"u:{user.id}",))
            officers = office_keys(("agency_dpo",), user.agency_id)
            tell_of_passkey(emit, "passkey_of_user_copied", user.id, officers)
            return Made(id=passkey_id)

        with context.keyed(new_event_id()):
            self.commands.run(Tell(passkey_id=passkey_id), Made, body)

    def _require_fresh(self, caller: Caller) -> None:
        """Raises StepUpRequired: who found somebody's open session makes themself no key to it."""
        now = self.now()
        found = self.accounts.sessions(caller.kind, caller.id)
        if not any(one.id == caller.session_id and one.stepped_up(now) for one in found):
            raise StepUpRequired


def wanted_of(locked: Locked) -> TotpRequired:
    """What to ask for: where there is an app its code, which works everywhere."""
    return PasskeyRequired() if locked.totp_secret is None else TotpRequired()


def tell_of_passkey(emit: Emit, reminder: str, user_id: str, keys: tuple[str, ...]) -> None:
    told = Reminder(reminder=reminder, keys=keys, object_id=user_id)
    emit(ACCESS_REMINDER, f"reminders/{new_event_id()}", 1, told)


def passkey_object(passkey_id: str, agency_id: str) -> Object:
    return Object(type="passkey", id=passkey_id, agency_id=agency_id)
