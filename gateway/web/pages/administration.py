"""Administration: where it begins, and the people of an agency."""

from __future__ import annotations

from typing import Any

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.forms.roles import ROLES, fill_roles, read_roles, roles_to_give
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.errors import RoleRequired
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.agencies import ListAgencies
from services.contracts.sharing.people import (
    GetUser,
    InvitationBody,
    InviteUser,
    ListUsers,
    PatchUser,
    ResetUser,
    UserChanges,
)
from services.contracts.sharing.teams import ListTeams

_DONE = {
    "saved": "Saved.",
    "off": "The account is disabled. Every session of it has ended.",
    "on": "Enabled.",
}


class Administration(Page):
    """`/administration`: what this visitor may administer."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        await visit.ask("sharing", "me", GetMe())
        person = visit.person
        if person is None or not person.is_any("agency_admin", "system_operator", "security_manager"):
            raise RoleRequired
        return Shown("administration/start.html", {"section": "administration"})


class Users(Page):
    """`/administration/users?state=&agency_id=`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        state, agency_id = visit.query("state") or None, visit.query("agency_id") or None
        request = asked(
            ListUsers, limit=50, cursor=visit.query("cursor") or None, state=state, agency_id=agency_id
        )
        found, agencies = await visit.together(
            visit.ask("sharing", "list_users", request),
            visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
        )
        more = "&".join(
            f"{name}={value}" for name, value in (("state", state), ("agency_id", agency_id)) if value
        )
        return Shown(
            "administration/users.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "state": state or "",
                "agency_id": agency_id or "",
                "agencies": _agency_choices(visit, agencies["items"]),
                "url": f"/administration/users?{more}" if more else "/administration/users",
            },
        )


class NewUser(FormPage):
    """`/administration/users/new`: an invitation. The activation link is shown once, to be handed over."""

    fields = (
        Field("name", "Name", missing="Enter the name", limit=120),
        Field("username", "User name", missing="Enter the user name", limit=120,
              hint="Letters, digits and . _ @ + - only. It may be the e-mail address"),
        Field("email", "E-mail address", "email", missing="Enter the e-mail address", limit=254),
        Field("agency_id", "Agency", "select", missing="Choose the agency"),
        Field("job_title", "Job title", limit=120, hint="You can leave it empty"),
        Field("team_ids", "Teams", "choices"),
        ROLES,
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        agencies, teams = await visit.together(
            visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
            visit.ask("sharing", "list_teams", ListTeams(limit=100)),
        )
        choices = _agency_choices(visit, agencies["items"])
        form.fill({"agency_id": visit.query("agency_id") or (visit.person.agency_id if visit.person else "")})
        return Shown(
            "administration/user_new.html",
            {
                "section": "administration",
                "form": form,
                "agencies": choices,
                "teams": [(team["id"], team["name"]) for team in teams["items"]],
                "roles": roles_to_give(visit.person),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body: dict[str, Any] = {name: form.text(name) for name in ("name", "username", "email", "agency_id")}
        if form.text("job_title"):
            body["job_title"] = form.text("job_title")
        if visit.typed.get("team_ids"):
            body["team_ids"] = form.all("team_ids")
        body["roles"] = read_roles(form)
        request = InviteUser(user=form.request(InvitationBody, body))
        made = await visit.tell("sharing", "invite_user", request, once=form.once)
        return _handed_over(visit, made, made["username"])


class OneUser(FormPage):
    """`/administration/users/{user_id}`."""

    fields = (
        Field("name", "Name", missing="Enter the name", limit=120),
        Field("job_title", "Job title", limit=120),
        Field("team_ids", "Teams", "choices"),
        ROLES,
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        user = await visit.ask("sharing", "get_user", asked(GetUser, user_id=ids["user_id"]))
        own = visit.person is not None and user["agency_id"] == visit.person.agency_id
        teams = await visit.ask("sharing", "list_teams", ListTeams(limit=100)) if own else {"items": []}
        if not form.sent:
            form.fill({name: user.get(name) for name in ("name", "job_title", "etag", "team_ids")})
            fill_roles(form, user["roles"])
        return Shown(
            "administration/user.html",
            {
                "section": "administration",
                "form": form,
                "user": user,
                "own": own,
                "teams": [(team["id"], team["name"]) for team in teams["items"]],
                "roles": roles_to_give(visit.person, [one["role"] for one in user["roles"]]),
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        changes: dict[str, Any] = {"name": form.text("name"), "roles": read_roles(form)}
        if form.text("job_title"):
            changes["job_title"] = form.text("job_title")
        if form.has("teams_shown"):
            changes["team_ids"] = form.all("team_ids")
        await _patch(visit, form, ids["user_id"], changes)
        return Gone(f"/administration/users/{ids['user_id']}?done=saved")


class UserState(Page):
    """`/administration/users/{user_id}/state`: disable, enable."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form((), visit.typed)
        state = "disabled" if form.text("state") == "disabled" else "active"
        await _patch(visit, form, ids["user_id"], {"state": state})
        return Gone(f"/administration/users/{ids['user_id']}?done={'off' if state == 'disabled' else 'on'}")


class ResetOne(Page):
    """`/administration/users/{user_id}/reset`: password and authenticator go, a new activation begins."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form((), visit.typed)
        request = asked(ResetUser, user_id=ids["user_id"])
        made = await visit.tell("sharing", "reset_user", request, once=form.once)
        return _handed_over(visit, made, None)


# --- shared by the pages above ---


async def _patch(visit: Visit, form: Form, user_id: str, changes: dict[str, Any]) -> None:
    request = asked(
        PatchUser, user_id=user_id, if_match=form.etag, changes=form.request(UserChanges, changes)
    )
    await visit.tell("sharing", "patch_user", request, once=form.once)


def _handed_over(visit: Visit, made: Body, username: str | None) -> Shown:
    return Shown(
        "administration/invited.html",
        {
            "section": "administration",
            "username": username,
            "user_id": made["id"],
            "origin": visit.origin,
            "token": made.get("activation_token"),
            "expires_at": made.get("activation_expires_at"),
            "by_agency": made.get("passwords") == "refused",
        },
    )


def _agency_choices(visit: Visit, agencies: list[Body]) -> list[tuple[str, str]]:
    """All for the operator, the own one for everybody else."""
    person = visit.person
    everywhere = person is not None and person.is_any("system_operator")
    return [
        (one["id"], one["name"])
        for one in agencies
        if everywhere or (person is not None and one["id"] == person.agency_id)
    ]
