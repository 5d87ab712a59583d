"""Agencies: who takes part, and whether it may."""

from __future__ import annotations

from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.sharing.agencies import (
    AgencyBody,
    AgencyChanges,
    AgencyMove,
    CreateAgency,
    GetAgency,
    ListAgencies,
    MoveAgency,
    PatchAgency,
)

DONE = {"saved": "Saved.", "moved": "The state is changed. It is in effect now."}
WHY = Field("reason", "Reason", "area", missing="Say why", limit=500, rows=3)
TYPES = tuple(words.choices("agency_type"))


class Agencies(Page):
    """`/administration/agencies`: everybody may know who takes part."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(ListAgencies, limit=100, cursor=visit.query("cursor") or None)
        found = await visit.ask("sharing", "list_agencies", request)
        return Shown(
            "administration/agencies.html",
            {"section": "administration", "items": found["items"], "next": found["next"]},
        )


class NewAgency(FormPage):
    """`/administration/agencies/new`."""

    fields = (
        Field("name", "Name", missing="Enter the name", limit=120),
        Field("type", "Type", "choice", missing="Choose the type", options=TYPES),
        Field("area", "Area", limit=120, hint="You can leave it empty"),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        await visit.ask("sharing", "list_agencies", ListAgencies(limit=1))
        return Shown("administration/agency_new.html", {"section": "administration", "form": form})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = {"name": form.text("name"), "type": form.text("type")}
        if form.text("area"):
            body["area"] = form.text("area")
        request = CreateAgency(agency=form.request(AgencyBody, body))
        made = await visit.tell("sharing", "create_agency", request, once=form.once)
        return Gone(f"/administration/agencies/{made['id']}?done=saved")


class OneAgency(FormPage):
    """`/administration/agencies/{agency_id}`: name and area."""

    fields = (Field("name", "Name", missing="Enter the name", limit=120), Field("area", "Area", limit=120))

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        agency = await visit.ask("sharing", "get_agency", asked(GetAgency, **ids))
        if not form.sent:
            form.fill({"name": agency["name"], "area": agency["area"], "etag": agency.get("etag")})
        return Shown(
            "administration/agency.html",
            {
                "section": "administration",
                "form": form,
                "agency": agency,
                "operator": is_operator(visit),
                "done": DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        changes: dict[str, Any] = {"name": form.text("name")}
        if form.text("area"):
            changes["area"] = form.text("area")
        body = form.request(AgencyChanges, changes)
        request = asked(PatchAgency, **ids, if_match=form.etag, changes=body)
        await visit.tell("sharing", "patch_agency", request, once=form.once)
        return Gone(f"/administration/agencies/{ids['agency_id']}?done=saved")


class AgencyState(FormPage):
    """`/administration/agencies/{agency_id}/state`: leaving `active` shuts it out at once."""

    fields = (
        Field("to", "New state", "choice", missing="Choose the new state",
              options=tuple(words.choices("agency_state"))),
        WHY,
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        agency = await visit.ask("sharing", "get_agency", asked(GetAgency, **ids))
        offered = [pair for pair in words.choices("agency_state") if pair[0] != agency["state"]]
        return Shown(
            "administration/agency_state.html",
            {"section": "administration", "form": form, "agency": agency, "offered": offered},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        move = form.request(AgencyMove, {"to": form.text("to"), "reason": form.text("reason")})
        await visit.tell("sharing", "move_agency", asked(MoveAgency, **ids, move=move), once=form.once)
        return Gone(f"/administration/agencies/{ids['agency_id']}?done=moved")


def is_operator(visit: Visit) -> bool:
    return visit.person is not None and visit.person.is_any("system_operator")
