"""The own account: password, authenticator, sessions, access log, and the procedure that everybody signs."""

from __future__ import annotations

import segno

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown, local
from gateway.web.pages.passkeys import to_step_up
from gateway.web.visit import Visit
from services.contracts.audit import ListOwnConsultations
from services.contracts.errors import InvalidTransition, StepUpRequired
from services.contracts.sharing.account import (
    ChangePassword,
    ConfirmTotp,
    GetMe,
    PasswordChange,
    StartTotp,
    TotpCode,
)
from services.contracts.sharing.passkeys import ListPasskeys
from services.contracts.sharing.procedures import GetCurrentProcedure, SignatureBody, SignProcedure
from services.contracts.sharing.sessions import EndSession, GetCurrentSession, ListSessions

_DONE = {
    "password": "Your password is changed.",
    "session": "The session has ended.",
    "device": "This device is enrolled.",
    "code": "The code counts for 15 minutes.",
    "passkey": "The passkey counts for 15 minutes.",
    "passkey-added": "The passkey is added. You can log in with it from now on.",
    "passkey-removed": "The passkey is removed.",
}


class Account(Page):
    """`/account`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        me, sessions, current, passkeys = await visit.together(
            visit.ask("sharing", "me", GetMe()),
            visit.ask("sharing", "list_sessions", ListSessions(limit=100)),
            visit.ask("sharing", "current_session", GetCurrentSession()),
            visit.ask("sharing", "list_passkeys", ListPasskeys(limit=100)),
        )
        context = {
            "me": me,
            "sessions": sessions["items"],
            "passkeys": passkeys["items"],
            "device": current["device"],
            "done": _DONE.get(visit.query("done")),
        }
        return Shown("account/account.html", context)


class EndOneSession(Page):
    """`/account/sessions/{session_id}/end`."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        request = EndSession(session_id=ids["session_id"])
        await visit.tell("sharing", "end_session", request, once=visit.fresh())
        return Gone("/account?done=session")


class Password(FormPage):
    """`/account/password`."""

    fields = (
        Field(
            "current",
            "Present password",
            "password",
            missing="Enter your present password",
            autocomplete="current-password",
        ),
        Field(
            "new",
            "New password",
            "password",
            missing="Choose a new password",
            hint="At least 12 characters.",
            autocomplete="new-password",
        ),
        Field(
            "repeat",
            "New password again",
            "password",
            missing="Type the new password again",
            autocomplete="new-password",
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        await visit.ask("sharing", "me", GetMe())
        return Shown("account/password.html", {"form": form, "next": _next(visit, form)})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        if form.raw("new") != form.raw("repeat"):
            form.wrong("repeat", "The two passwords are not the same")
        change = form.request(PasswordChange, {"current": form.raw("current"), "new": form.raw("new")})
        await visit.tell("sharing", "change_password", ChangePassword(change=change), once=form.once)
        return Gone(local(form.text("next"), "/account?done=password"))


class Totp(FormPage):
    """`/account/totp`: start, then confirm with a code. The secret stays in the page between the two."""

    fields = (
        Field(
            "code", "Code from the app", width=10, autocomplete="one-time-code", limit=10, hint="Six digits"
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        await visit.ask("sharing", "me", GetMe())
        return self._page(visit, form, form.text("secret"), form.text("uri"))

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        if form.text("act") == "start":
            try:
                started = await visit.tell("sharing", "start_totp", StartTotp(), once=form.once)
            except StepUpRequired:
                return to_step_up(visit.path)
            except InvalidTransition:
                form.fail("An authenticator app is set up already. Your administrator can reset it.")
                raise NotRight from None
            return self._page(
                visit, Form(self.fields, {"next": [form.text("next")]}), started["secret"], started["uri"]
            )
        if not form.text("code"):
            form.wrong("code", "Enter the code that the app shows")
        code = form.request(TotpCode, {"code": form.text("code").replace(" ", "")})
        codes = await visit.tell("sharing", "confirm_totp", ConfirmTotp(confirmation=code), once=form.once)
        context = {"codes": codes["recovery_codes"], "next": local(form.text("next"), "")}
        return Shown("account/recovery.html", context)

    @staticmethod
    def _page(visit: Visit, form: Form, secret: str, uri: str) -> Shown:
        picture = segno.make(uri, error="m").svg_data_uri(scale=4) if uri.startswith("otpauth://") else ""
        return Shown(
            "account/totp.html",
            {"form": form, "secret": secret, "uri": uri, "picture": picture, "next": _next(visit, form)},
        )


class Consultations(Page):
    """`/account/consultations`: the personal access log (R30)."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = ListOwnConsultations(limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("audit", "list_own_consultations", request)
        return Shown("account/consultations.html", {"items": found["items"], "next": found["next"]})


class Procedure(FormPage):
    """`/procedure`: the clauses, to be read, printed, signed; then on to the page first asked for."""

    fields = (
        Field(
            "agreed",
            "Your signature",
            "choices",
            options=(("yes", "I have read this procedure and will follow it"),),
            missing="Tick the box to sign",
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        procedure = await visit.ask("sharing", "current_procedure", GetCurrentProcedure())
        mine = procedure["my_signature"]
        signed = mine is not None and mine["version"] == procedure["version"]
        return Shown(
            "account/procedure.html",
            {"form": form, "procedure": procedure, "signed": signed, "next": _next(visit, form)},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        version = form.text("version")
        if not version.isdigit():
            form.fail("The version is missing. Read the procedure and sign it again.")
            raise NotRight
        typed = {"version": int(version), "sha256": form.text("sha256")}
        signature = form.request(SignatureBody, typed)
        await visit.tell("sharing", "sign_procedure", SignProcedure(signature=signature), once=form.once)
        return Gone(local(form.text("next")))


def _next(visit: Visit, form: Form) -> str:
    """The page first asked for, if somebody was sent here from it."""
    return local(form.text("next") or visit.query("next"), "")
