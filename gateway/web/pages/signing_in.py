"""Signing in by an agency's own identity provider: there, and back again.

The browser keeps what binds the way back to it (`state.binding.next`); `sharing` finds out who has come.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote

from pydantic import ValidationError

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, Typed
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown, local
from gateway.web.passkeys import NAME, NOT_RIGHT, answer_in
from gateway.web.visit import Body, Visit
from services.contracts.errors import (
    BadCredentials,
    ConcordatError,
    NotVisible,
    SignInFailed,
    TotpRequired,
)
from services.contracts.sharing.identity_providers import BeginSignIn, FinishSignIn, SignInBegun
from services.contracts.sharing.passkeys import BeginSignInChallenge, PasskeyChallenge
from services.contracts.sharing.sessions import SessionCreated

_LONGEST = 2048
_CODE = Field(
    "totp",
    "Code from your authenticator app",
    hint="Six digits, or one of your recovery codes.",
    missing="Enter the code from your authenticator app",
    width=10,
    autocomplete="one-time-code",
)


@dataclass(frozen=True, slots=True)
class Held:
    """What this browser keeps between leaving and coming back."""

    state: str
    binding: str
    next: str

    @property
    def text(self) -> str:
        return f"{self.state}.{self.binding}.{quote(self.next, safe='')}"

    @classmethod
    def read(cls, text: str) -> Held | None:
        parts = text.split(".", 2)
        return cls(parts[0], parts[1], local(unquote(parts[2]))) if len(parts) == 3 else None


class ByAgency(FormPage):
    """`/log-in/agency`: which agency. No list of those that sign in this way is shown."""

    open = True
    fields = (
        Field(
            "agency",
            "Your agency's short name",
            hint="Your administrator has told it to you, for example cleveland-police",
            missing="Enter your agency's short name",
            limit=32,
            width=20,
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        next_page = local(form.text("next") or visit.query("next"))
        return Shown("account/agency_log_in.html", {"form": form, "next": next_page})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        try:
            begun = await _begin(visit, form.text("agency").lower(), local(form.text("next")))
        except NotVisible:
            form.wrong("agency", "No agency signs in under this name")
            shown = await self.show(visit, form)
            return Shown(shown.template, shown.context, 422)
        # A form may not lead to another site (the page's own policy), but a link may.
        return Shown("account/agency_go.html", {"url": begun.url, "host": begun.host, "agency": begun.agency})


class ToAgency(ByAgency):
    """`/log-in/agency/{alias}`: the same with the name filled in, for a link that an agency gives its people.
    A link begins nothing, for any page could have it: nobody is led to another site, or signed in as somebody
    else, without having sent our own form."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        form = self.make()
        form.fill({"agency": ids["alias"][:32]})
        return await self.show(visit, form)


class Callback(Page):
    """`/log-in/callback/{agency_id}`: what the agency's provider sends the browser back with. Another's never
    comes here, so nothing that was meant for the one is told to the other."""

    open = True

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        held, state = Held.read(visit.held_sign_in), _param(visit, "state")
        if held is None or state is None or not hmac.compare_digest(held.state.encode(), state.encode()):
            return _failed(visit, SignInFailed())
        code = _param(visit, "code")
        if code is None:
            return _failed(visit, SignInFailed(), cancelled=_param(visit, "error") == "access_denied")
        try:
            given = {"agency_id": ids["agency_id"], "code": code, "issuer": _param(visit, "iss")}
            return await _finish(visit, held, **given)
        except TotpRequired:
            return Gone("/log-in/code")
        except ConcordatError as problem:
            return _failed(visit, problem)


class WithCode(FormPage):
    """`/log-in/code`: the provider has vouched for somebody whose second factor is asked for as well."""

    open = True
    fields = (_CODE,)

    def make(self, typed: Typed | None = None) -> Form:
        answered = any((typed or {}).get(NAME, ()))
        return Form((replace(_CODE, missing=None),) if answered else (_CODE,), typed)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        return Shown("account/agency_code.html", {"form": form, "asked": await _challenge(visit)})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        held = Held.read(visit.held_sign_in)
        if held is None:
            return _failed(visit, SignInFailed())
        form.require()
        try:
            answer = answer_in(form)
            given = {"totp": form.text("totp").replace(" ", "")} if answer is None else {"passkey": answer}
            return await _finish(visit, held, **given)
        except (BadCredentials, TotpRequired) as problem:
            if answer is None:
                form.wrong("totp", "This code is not right")
            else:
                form.fail(NOT_RIGHT)
            shown = await self.show(visit, form)
            return Shown(shown.template, shown.context, problem.status)
        except ConcordatError as problem:
            return _failed(visit, problem)


async def _begin(visit: Visit, alias: str, next_page: str) -> SignInBegun:
    """Raises NotVisible."""
    request = _request(BeginSignIn, alias=alias, redirect_uri=visit.callback, address=visit.address())
    begun: SignInBegun = await visit.ask_openly("sharing", "begin_sign_in", request, SignInBegun, None)
    visit.hold_sign_in(Held(begun.state, begun.binding, next_page).text)
    return begun


async def _challenge(visit: Visit) -> Body | None:
    """What the passkeys of whoever the provider has vouched for are asked; None: there are none."""
    held = Held.read(visit.held_sign_in)
    if held is None:
        return None
    try:
        request = _request(BeginSignInChallenge, state=held.state, binding=held.binding)
        asked: PasskeyChallenge = await visit.ask_openly(
            "sharing", "begin_sign_in_challenge", request, PasskeyChallenge, None
        )
    except ConcordatError:
        return None  # the page is for a code as well, which is judged when it is sent
    return asked.model_dump(mode="json", include={"id", "challenge", "rp_id", "credential_ids"})


async def _finish(visit: Visit, held: Held, **given: Any) -> Outcome:
    request = _request(
        FinishSignIn,
        state=held.state,
        binding=held.binding,
        address=visit.address(),
        attempt=secrets.token_hex(32),
        **given,
    )
    made: SessionCreated = await visit.ask_openly("sharing", "finish_sign_in", request, SessionCreated, None)
    visit.hold_sign_in("")
    visit.begin_session(made.token)
    return Gone(held.next)


def _request(model: Any, **values: Any) -> Any:
    """Raises SignInFailed for what never was of ours."""
    try:
        return model.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError:
        raise SignInFailed(cause="form") from None


def _failed(visit: Visit, problem: ConcordatError, *, cancelled: bool = False) -> Shown:
    """The same page whoever it was about, or nobody."""
    visit.hold_sign_in("")
    if problem.retry_after is not None:
        visit.resp.set_header("Retry-After", str(problem.retry_after))
    context = {"says": words.refusal(problem.public_code), "cancelled": cancelled}
    return Shown("account/agency_failed.html", context, problem.status)


def _param(visit: Visit, name: str) -> str | None:
    found: str | None = visit.req.get_param(name)
    return found if found and len(found) <= _LONGEST else None
