"""Passkeys of the own account. Only a script can make one; without scripts the authenticator app does."""

from __future__ import annotations

from urllib.parse import quote

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight
from gateway.web.page import FormPage, Gone, Outcome, Shown, local
from gateway.web.passkeys import answer_in
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.errors import Invalid, InvalidTransition, NotVisible, StepUpRequired
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.passkeys import AddPasskey, Attestation, ListPasskeys, RemovePasskey
from services.contracts.sharing.sessions import GetCurrentSession


class NewPasskey(FormPage):
    """`/account/passkeys/new`: who has a second factor shows it first."""

    fields = (
        Field("name", "Name of the passkey", missing="Enter a name", limit=120,
              hint="For example, Work laptop or Blue key"),
    )  # fmt: skip

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        me, session = await visit.together(
            visit.ask("sharing", "me", GetMe()),
            visit.ask("sharing", "current_session", GetCurrentSession()),
        )
        if me["second_factors"] and session["stepped_up_until"] is None:
            return to_step_up(visit.path)
        return await self.show(visit, self.make(), **ids)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        await visit.ask("sharing", "me", GetMe())
        target = local(form.text("next") or visit.query("next"), "")
        return Shown("account/passkey_new.html", {"form": form, "next": target})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        made = answer_in(form)
        if made is None:
            form.fail("Your browser has made no passkey. Try again")
            raise NotRight
        passkey = form.request(Attestation, {**made, "name": form.text("name")})
        try:
            await visit.tell("sharing", "add_passkey", AddPasskey(passkey=passkey), once=form.once)
        except StepUpRequired:
            return to_step_up(visit.path)
        except Invalid as problem:
            if any(error.code == "too_many_passkeys" for error in problem.errors):
                form.fail("You have as many passkeys as you can have. Remove one first")
            else:
                form.fail("This passkey could not be checked. Try again")
            raise NotRight from None
        return Gone(local(form.text("next"), "/account?done=passkey-added"))


class OnePasskey(FormPage):
    """`/account/passkeys/{passkey_id}`: whether it is really to go."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        session = await visit.ask("sharing", "current_session", GetCurrentSession())
        if session["stepped_up_until"] is None:
            return to_step_up(visit.path)
        return await self.show(visit, self.make(), **ids)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        found = await visit.ask("sharing", "list_passkeys", ListPasskeys(limit=100))
        return Shown("account/passkey.html", {"form": form, "passkey": _one(found, ids["passkey_id"])})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        try:
            await visit.tell("sharing", "remove_passkey", asked(RemovePasskey, **ids), once=form.once)
        except StepUpRequired:
            return to_step_up(visit.path)
        except InvalidTransition:
            form.fail("This is your only second factor. Add another passkey or an authenticator app first.")
            raise NotRight from None
        return Gone("/account?done=passkey-removed")


def to_step_up(target: str) -> Gone:
    """There, and back again."""
    return Gone(f"/account/step-up?next={quote(target, safe='')}")


def _one(found: Body, passkey_id: str) -> Body:
    """Raises NotVisible."""
    for one in found["items"]:
        if one["id"] == passkey_id:
            return dict(one)
    raise NotVisible
