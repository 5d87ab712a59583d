"""Devices of an agency, and the browser that becomes one of them."""

from __future__ import annotations

from typing import Any

from gateway.resources.devices import new_secret
from gateway.sessions import hash_secret
from gateway.web import words
from gateway.web.barring import CODE, WITH_PASSKEY
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight, Typed
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown, local
from gateway.web.passkeys import NAME, NOT_RIGHT, answer_in
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.errors import Invalid
from services.contracts.sharing.devices import (
    DeviceBody,
    DeviceChanges,
    EnrolDevice,
    EnrolmentBody,
    GetDevice,
    ListDevices,
    PatchDevice,
    RegisterDevice,
)
from services.contracts.sharing.people import GetUser, ListUsers
from services.contracts.sharing.sessions import GetCurrentSession, StepUp, StepUpBody

_DONE = {"saved": "Saved.", "gone": "The device is revoked. It proves nothing any more."}
_CLASSES = tuple(pair for pair in words.choices("device_class") if pair[0] != "personal")


class Devices(Page):
    """`/administration/devices`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(ListDevices, limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("sharing", "list_devices", request)
        return Shown(
            "administration/devices.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "done": _DONE.get(visit.query("done")),
            },
        )


class NewDevice(FormPage):
    """`/administration/devices/new`: the enrolment code is shown once, to be read out."""

    fields = (
        Field("name", "Name of the device", missing="Enter the name", limit=120,
              hint="For example, the number on its label"),
        Field("class", "Kind", "choice", missing="Choose the kind", options=_CLASSES),
        Field("user_id", "Whose it is", "select"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        users = await visit.ask("sharing", "list_users", ListUsers(limit=100, state="active"))
        people = [("", "Anybody of the agency"), *((one["id"], one["name"]) for one in users["items"])]
        return Shown(
            "administration/device_new.html", {"section": "administration", "form": form, "people": people}
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body: dict[str, Any] = {"name": form.text("name"), "class": form.text("class")}
        if form.text("user_id"):
            body["user_id"] = form.text("user_id")
        request = RegisterDevice(device=form.request(DeviceBody, body))
        made = await visit.tell("sharing", "register_device", request, once=form.once)
        return Shown(
            "administration/device_code.html",
            {
                "section": "administration",
                "code": made.get("enrolment_code"),
                "until": made.get("enrolment_expires_at"),
            },
        )


class OneDevice(FormPage):
    """`/administration/devices/{device_id}`."""

    fields = (Field("name", "Name of the device", missing="Enter the name", limit=120),)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        device = await visit.ask("sharing", "get_device", asked(GetDevice, **ids))
        whose = None
        if device["user_id"] is not None:
            user = await visit.ask("sharing", "get_user", asked(GetUser, user_id=device["user_id"]))
            whose = user["name"]
        if not form.sent:
            form.fill({"name": device["name"], "etag": device.get("etag")})
        return Shown(
            "administration/device.html",
            {"section": "administration", "form": form, "device": device, "whose": whose},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        changes = form.request(DeviceChanges, {"name": form.text("name")})
        patch = asked(PatchDevice, **ids, if_match=form.etag, changes=changes)
        await visit.tell("sharing", "patch_device", patch, once=form.once)
        return Gone("/administration/devices?done=saved")


class RevokeDevice(Page):
    """`/administration/devices/{device_id}/revoke`."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form((), visit.typed)
        patch = asked(PatchDevice, **ids, if_match=form.etag, changes=DeviceChanges(state="revoked"))
        await visit.tell("sharing", "patch_device", patch, once=form.once)
        return Gone("/administration/devices?done=gone")


class ThisDevice(FormPage):
    """`/account/device`: what this browser is, and the code that makes it an enrolled one."""

    fields = (Field("code", "Enrolment code", missing="Enter the code", width=20, autocomplete="off"),)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        session = await visit.ask("sharing", "current_session", GetCurrentSession())
        return Shown("account/device.html", {"form": form, "device": session["device"]})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        secret, body = new_secret(), form.request(EnrolmentBody, {"code": form.text("code")})
        request = EnrolDevice(enrolment=body, secret_hash=hash_secret(secret))
        device = await visit.tell("sharing", "enrol_device", request, once=form.once)
        visit.enrol_device(device["id"], secret)
        return Gone("/account?done=device")


class StepUpPage(FormPage):
    """`/account/step-up?next=`: a fresh code or a passkey, then back to where one was."""

    fields = CODE

    def make(self, typed: Typed | None = None) -> Form:
        return Form(WITH_PASSKEY if any((typed or {}).get(NAME, ())) else CODE, typed)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        session = await visit.ask("sharing", "current_session", GetCurrentSession())
        target = local(form.text("next") or visit.query("next"), "")
        return Shown(
            "account/step_up.html", {"form": form, "next": target, "until": session["stepped_up_until"]}
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        answer = answer_in(form)
        given = {"code": form.text("code").replace(" ", "")} if answer is None else {"passkey": answer}
        body = form.request(StepUpBody, given)
        try:
            await visit.tell("sharing", "step_up", StepUp(step_up=body), once=form.once)
        except Invalid:
            if answer is None:
                raise
            form.fail(NOT_RIGHT)
            raise NotRight from None
        return Gone(local(form.text("next"), f"/account?done={'code' if answer is None else 'passkey'}"))
