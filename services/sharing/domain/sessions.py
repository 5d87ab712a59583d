"""Sessions: how long they live, and what has to be done in them before anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts.errors import (
    ConcordatError,
    FieldError,
    Invalid,
    PasswordChangeRequired,
    ProcedureMissing,
    ProcedureUnsigned,
    TotpNotEnrolled,
)
from services.contracts.sharing.sessions import Credentials
from services.contracts.vocabulary import Must

MOST = 20
"""Sessions that one principal can have; the oldest gives way."""
STEP_UP_LASTS = timedelta(minutes=15)
"""That a fresh code, or a passkey, counts in the session in which it was given."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly inactivity is known: each request would else write."""


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    hash: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    stepped_up_until: datetime | None = None
    federated: bool = False
    """Begun by the agency's identity provider: no password of ours was used, so none has to be changed."""
    strong: bool = False
    """It has said that it asked for a second factor, and the agency lets that count."""

    def stepped_up(self, now: datetime) -> bool:
        """A fresh code of the authenticator, or a passkey, counts in it."""
        return self.stepped_up_until is not None and now < self.stepped_up_until

    def alive(self, now: datetime, idle: timedelta) -> bool:
        return now < min(self.expires_at, self.seen_at + idle)

    def idle_expires_at(self, idle: timedelta) -> datetime:
        return min(self.expires_at, self.seen_at + idle)

    def to_be_seen(self, now: datetime) -> bool:
        """It is time to write down that it is in use."""
        return now - self.seen_at >= SEEN_EVERY


@dataclass(frozen=True, slots=True)
class Limits:
    """`demo`: nobody is held up to enrol an authenticator."""

    idle: timedelta
    longest: timedelta
    demo: bool


def musts(*, must_change: bool, has_totp: bool, signed: bool, demo: bool) -> tuple[Must, ...]:
    """What is still to do, in the order in which it is to be done."""
    todo: list[Must] = []
    if must_change:
        todo.append("change_password")
    if not has_totp and not demo:
        todo.append("enrol_totp")
    if not signed:
        todo.append("sign_procedure")
    return tuple(todo)


def refusal(must: tuple[Must, ...], *, published: bool) -> ConcordatError | None:
    """What somebody who has still something to do is told; None when nothing is left."""
    if not must:
        return None
    if must[0] == "change_password":
        return PasswordChangeRequired()
    if must[0] == "enrol_totp":
        return TotpNotEnrolled()
    return ProcedureUnsigned() if published else ProcedureMissing()


def is_client(credentials: Credentials) -> bool:
    """Which of the two forms it is. Raises Invalid for neither and for a mixture."""
    given = credentials.model_fields_set
    client = bool(given & {"client_id", "client_secret"})
    wanted = {"client_id", "client_secret"} if client else {"username", "password"}
    strange = given - wanted - (set() if client else {"totp", "passkey"})
    missing = [one for one in sorted(wanted) if getattr(credentials, one) is None]
    errors = [FieldError(f"/{one}", "unknown_field", "This does not belong here.") for one in sorted(strange)]
    errors += [FieldError(f"/{one}", "required", "This field is required.") for one in missing]
    if errors:
        raise Invalid(errors=tuple(errors))
    return client
