"""Log-in, log-out, activation: the only pages for people without a session."""

from __future__ import annotations

import math
import secrets
from typing import Any

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.menu import home_of
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown, is_prose, local
from gateway.web.passkeys import answer_in
from gateway.web.visit import Visit
from services.contracts.errors import BadCredentials, ConcordatError, PasskeyRequired, TotpRequired
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.people import Activate, Activated, ActivationBody
from services.contracts.sharing.sessions import Credentials, EndCurrentSession, LogIn, SessionCreated

KEPT = "kept-"
_TOTP_HINT = "Six digits, or one of your recovery codes. Leave it empty if you have not set one up."

_NOT_RIGHT = "The user name, the password or the passkey is not right. Try again, or enter a code"


class Start(Page):
    """`/`: where somebody with these roles begins."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        if not visit.has_session:
            return Gone("/log-in")
        await visit.ask("sharing", "me", GetMe())
        return Gone(home_of(visit.person))


class LogInPage(FormPage):
    """`/log-in`. What somebody had typed when a session ended comes along, and is offered again after it."""

    open = True
    fields = (
        Field("username", "User name", missing="Enter your user name", autocomplete="username", limit=256),
        Field(
            "password", "Password", "password", missing="Enter your password", autocomplete="current-password"
        ),
        Field(
            "totp",
            "Code from your authenticator app",
            hint=_TOTP_HINT,
            width=10,
            autocomplete="one-time-code",
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        return Shown(
            "account/log_in.html",
            {
                "form": form,
                "next": local(form.text("next") or visit.query("next")),
                "ended": visit.query("ended") == "1",
                "activated": visit.query("activated") == "1",
                "wait": None,
                "carried": [
                    (name, value)
                    for name, values in visit.typed.items()
                    if name == "resume" or name.startswith(KEPT)
                    for value in values
                ],
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        credentials: dict[str, Any] = {"username": form.text("username"), "password": form.raw("password")}
        if code := form.text("totp"):
            credentials["totp"] = code.replace(" ", "")
        if (answer := answer_in(form)) is not None:
            credentials["passkey"] = answer
        request = LogIn(
            credentials=form.request(Credentials, credentials),
            address=visit.address(),
            attempt=secrets.token_hex(32),
        )
        try:
            made: SessionCreated = await visit.ask_openly("sharing", "log_in", request, SessionCreated, None)
        except TotpRequired as problem:
            if isinstance(problem, PasskeyRequired):
                form.refused(problem)
            else:
                message = "Enter the code from your authenticator app"
                form.wrong("totp", "This code is not right" if "totp" in credentials else message)
            shown = await self.show(visit, form)
            return Shown(shown.template, shown.context, problem.status)
        except ConcordatError as problem:
            if answer is not None and isinstance(problem, BadCredentials):
                form.fail(_NOT_RIGHT)
            else:
                form.refused(problem, visit.request_id)
            shown = await self.show(visit, form)
            wait = (
                math.ceil(problem.retry_after / 60) if problem.status == 429 and problem.retry_after else None
            )
            return Shown(shown.template, {**shown.context, "wait": wait}, problem.status)
        visit.begin_session(made.token)
        resume = local(form.text("resume"), "")
        return self._resumed(visit, resume, made.token) if resume else Gone(local(form.text("next")))

    @staticmethod
    def _resumed(visit: Visit, resume: str, token: str) -> Shown:
        typed = [
            (name.removeprefix(KEPT), value)
            for name, values in visit.typed.items()
            if name.startswith(KEPT)
            for value in values
        ]
        return Shown(
            "account/resume.html",
            {
                "resume": resume,
                "new_csrf": visit.csrf_of(token),
                "visible": [(name, value) for name, value in typed if is_prose(name, value)],
                "hidden": [(name, value) for name, value in typed if not is_prose(name, value)],
            },
        )


class LogOut(Page):
    """`/log-out`: the session ends on the server and the cookie goes, whatever the server says."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        try:
            await visit.tell("sharing", "end_current_session", EndCurrentSession(), once=visit.fresh())
        finally:
            visit.end_session()
        return Gone("/log-in?ended=1")


class Activation(FormPage):
    """`/activate`. The code comes in the link's fragment, which reaches no server, or is pasted."""

    open = True
    fields = (
        Field("token", "Activation code", missing="Enter the activation code", limit=512),
        Field(
            "password",
            "Choose a password",
            "password",
            hint="At least 12 characters. Three or four words that have nothing in common are good.",
            missing="Choose a password",
            autocomplete="new-password",
        ),
        Field(
            "repeat",
            "The password again",
            "password",
            missing="Type the password again",
            autocomplete="new-password",
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        if not form.sent:
            form.fill({"token": visit.query("token") or None})
        return Shown("account/activate.html", {"form": form})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        if form.raw("password") != form.raw("repeat"):
            form.wrong("repeat", "The two passwords are not the same")
        typed = {"token": form.text("token"), "password": form.raw("password")}
        activation = form.request(ActivationBody, typed)
        key = visit.fresh()
        await visit.ask_openly("sharing", "activate", Activate(activation=activation), Activated, key)
        return Gone("/log-in?activated=1")
