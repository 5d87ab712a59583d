"""Log-in, and the sessions that it makes.

sharing.log_in(LogIn) -> SessionCreated                     query (no key), peer gateway only; POST /sessions
sharing.current_session(GetCurrentSession) -> SessionView   query; GET /sessions/current
sharing.end_current_session(EndCurrentSession) -> Empty     command; DELETE /sessions/current
sharing.list_sessions(ListSessions) -> SessionPage          query; GET /me/sessions
sharing.end_session(EndSession) -> Empty                    command; DELETE /me/sessions/{id}
sharing.step_up(StepUp) -> SteppedUp                        command; POST /sessions/current/step-ups
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import DeviceClass, Must
from .passkeys import Assertion

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Credentials(Request):
    """{username, password, totp? | passkey?} or {client_id, client_secret}; else Invalid with pointers.

    `totp` is six digits, or one of the recovery codes. `passkey` answers a challenge of `BeginLogIn`.
    """

    username: ShortText | None = None
    password: ShortText | None = None
    totp: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    passkey: Assertion | None = None
    client_id: ShortText | None = None
    client_secret: ShortText | None = None


class LogIn(Request):
    """`address` is the client's, believed only from configured proxies. `attempt` is made by the gateway,
    anew for each log-in, 128 random bits or more: what is delivered twice under it is one log-in with one
    session and one token, for which a code may be taken again. It MUST NOT be anything that a client can
    choose or find out, as a request id is.

    Raises BadCredentials, TotpRequired, PasskeyRequired; after correct credentials AccountDisabled,
    AgencySuspended, ProtocolExpired, ProtocolNotActive; RateLimited with retry_after.
    """

    credentials: Credentials
    address: Annotated[str, StringConstraints(max_length=64)] | None = None
    attempt: Id | None = None


class GetCurrentSession(Request):
    pass


class EndCurrentSession(Request):
    pass


class ListSessions(PageRequest):
    """The caller's own, newest first."""


class EndSession(Request):
    """Raises NotVisible for what is not one of the caller's own."""

    session_id: Id


class StepUpBody(Request):
    """One of the two: the code that the authenticator shows now (a recovery code is none), or the answer of a
    passkey to a challenge of `BeginStepUp`."""

    code: Annotated[str, StringConstraints(pattern=r"^\d{6}$")] | None = None
    passkey: Assertion | None = None


class StepUp(Request):
    """Lifts what a code can lift, in this session, for a while. Raises Invalid (`/code` wrong_code: also for
    one that was used; `/passkey` passkey_not_valid), TotpNotEnrolled, RateLimited: tried as often as at
    log-in."""

    step_up: StepUpBody


class SteppedUp(View):
    until: Moment


class SessionCreated(View):
    """`token` is shown here and never again. `must`: what has to be done first, in this order."""

    id: str
    token: str
    expires_at: Moment
    idle_expires_at: Moment
    must: tuple[Must, ...]


class SessionDevice(Reply):
    """What this request came from. `id` null: nothing that proved to be enrolled."""

    id: str | None
    name: str | None
    device_class: DeviceClass


class SessionView(View):
    """`stepped_up_until`: until when a fresh code counts in this session; null: it does not."""

    id: str
    device: SessionDevice
    stepped_up_until: Moment | None
    created_at: Moment
    expires_at: Moment
    idle_expires_at: Moment
    must: tuple[Must, ...]


class SessionItem(Reply):
    """`current`: the one that asks."""

    id: str
    created_at: Moment
    seen_at: Annotated[Moment, Field(description="to the minute")]
    expires_at: Moment
    idle_expires_at: Moment
    current: bool


class SessionPage(View):
    items: tuple[SessionItem, ...]
    next: str | None
