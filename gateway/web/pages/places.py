"""`/administration/agencies/{agency_id}/places`: from where, and on what, an agency opens cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.errors import RoleRequired
from services.contracts.sharing.agencies import AgencyChanges, GetAgency, PatchAgency

_MARKINGS = ("official", "official_sensitive")
_CODE = (("yes", "A new code from the authenticator app opens them elsewhere, for 15 minutes"),)


def _fields(marking: str) -> tuple[Field, ...]:
    return (
        Field(f"networks_{marking}", "From which networks", "area", limit=1300, rows=4,
              hint="One a line, like 192.0.2.0/24, at most 20. Empty: from anywhere"),
        Field(f"classes_{marking}", "On which devices", "choices", hint="None ticked: on any device",
              options=tuple(words.choices("device_class"))),
        Field(f"code_{marking}", "Elsewhere and on other devices", "choices", options=_CODE),
    )  # fmt: skip


class Places(FormPage):
    fields = (
        *_fields("official"),
        Field("own", "Their own rule", "choices",
              options=(("yes", "They have a rule of their own. Else the one above holds for them, too"),)),
        *_fields("official_sensitive"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        agency = await visit.ask("sharing", "get_agency", asked(GetAgency, **ids))
        if "places" not in agency:
            raise RoleRequired
        if not form.sent:
            form.fill({"etag": agency.get("etag")})
            for rule in agency["places"]:
                marking = rule["marking"]
                form.fill(
                    {
                        f"networks_{marking}": "\n".join(rule["networks"]),
                        f"classes_{marking}": rule["device_classes"],
                        f"code_{marking}": ["yes"] if rule["step_up"] else [],
                    }
                )
                if marking == "official_sensitive":
                    form.fill({"own": ["yes"]})
        return Shown(
            "administration/places.html", {"section": "administration", "form": form, "agency": agency}
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        places: list[dict[str, Any]] = []
        for marking in _MARKINGS:
            rule = _rule(form, marking)
            limits = rule["networks"] or rule["device_classes"]
            if form.all("own") if marking == "official_sensitive" else limits:
                # A problem names its rule by number.
                for name, part in (("networks", "networks"), ("classes", "device_classes")):
                    field = form.fields[f"{name}_{marking}"]
                    form.fields[field.name] = replace(field, pointer=f"/places/{len(places)}/{part}")
                places.append(rule)
        changes = form.request(AgencyChanges, {"places": places})
        request = asked(PatchAgency, **ids, if_match=form.etag, changes=changes)
        await visit.tell("sharing", "patch_agency", request, once=form.once)
        return Gone(f"/administration/agencies/{ids['agency_id']}?done=saved")


def _rule(form: Form, marking: str) -> dict[str, Any]:
    lines = form.text(f"networks_{marking}").split("\n")
    return {
        "marking": marking,
        "networks": [line.strip() for line in lines if line.strip()],
        "device_classes": form.all(f"classes_{marking}"),
        "step_up": bool(form.all(f"code_{marking}")),
    }
