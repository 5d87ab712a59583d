"""The teams of an agency: their names, and who is in them."""

from __future__ import annotations

from typing import Any

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.people import ListUsers
from services.contracts.sharing.teams import (
    CreateTeam,
    GetTeam,
    ListTeams,
    PatchTeam,
    TeamBody,
    TeamChanges,
)

_DONE = {"saved": "Saved."}


class Teams(Page):
    """`/administration/teams`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        found = await visit.ask(
            "sharing", "list_teams", asked(ListTeams, limit=100, cursor=visit.query("cursor") or None)
        )
        return Shown(
            "administration/teams.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "done": _DONE.get(visit.query("done")),
            },
        )


class EditTeam(FormPage):
    """`/administration/teams/new` and `/administration/teams/{team_id}`: a name and its people."""

    fields = (
        Field("name", "Name of the team", missing="Enter the name", limit=120),
        Field("user_ids", "Who is in it", "choices"),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        users = await visit.ask("sharing", "list_users", ListUsers(limit=100))
        team: Body | None = None
        if "team_id" in ids:
            team = await visit.ask("sharing", "get_team", asked(GetTeam, team_id=ids["team_id"]))
            if not form.sent:
                form.fill(
                    {
                        "name": team["name"],
                        "user_ids": team.get("user_ids") or [],
                        "etag": team.get("etag"),
                    }
                )
        people = [(one["id"], one["name"]) for one in users["items"] if one["state"] != "disabled"]
        return Shown(
            "administration/team.html",
            {"section": "administration", "form": form, "team": team, "people": people},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body: dict[str, Any] = {"name": form.text("name"), "user_ids": form.all("user_ids")}
        if "team_id" in ids:
            changes = form.request(TeamChanges, body)
            patch = asked(PatchTeam, team_id=ids["team_id"], if_match=form.etag, changes=changes)
            await visit.tell("sharing", "patch_team", patch, once=form.once)
        else:
            await visit.ask("sharing", "me", GetMe())
            body["agency_id"] = visit.person.agency_id if visit.person else ""
            request = CreateTeam(team=form.request(TeamBody, body))
            await visit.tell("sharing", "create_team", request, once=form.once)
        return Gone("/administration/teams?done=saved")
