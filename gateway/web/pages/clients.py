"""Systems of an agency: each with its scopes, its accountable person, its secret shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gateway.web import times, words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.clients import (
    ClientBody,
    ClientChanges,
    CreateClient,
    DeleteClient,
    GetClient,
    ListClients,
    PatchClient,
    RotateSecret,
)
from services.contracts.sharing.people import ListUsers

_FIELDS = (
    Field("name", "Name of the system", missing="Enter the name", limit=120),
    Field("accountable_user_id", "Who answers for it", "select", missing="Choose who answers for it",
          hint="This person has signed the procedure; the log names both"),
    Field("scopes", "What it may do", "choices", missing="Choose what it may do",
          options=tuple(words.choices("scope"))),
    Field("networks", "From which networks", "area", limit=1300, rows=3,
          hint="One a line, like 192.0.2.0/24. Empty: from anywhere"),
    Field("expires_at", "Last day", "day", missing="Say when it ends"),
)  # fmt: skip
_DONE = {"saved": "Saved.", "gone": "The system is removed. Its sessions have ended."}


class Clients(Page):
    """`/administration/systems`."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(ListClients, limit=100, cursor=visit.query("cursor") or None)
        found = await visit.ask("sharing", "list_clients", request)
        return Shown(
            "administration/clients.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "done": _DONE.get(visit.query("done")),
            },
        )


class EditClient(FormPage):
    """`/administration/systems/new` and `/administration/systems/{client_id}`."""

    fields = _FIELDS

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        users = await visit.ask("sharing", "list_users", ListUsers(limit=100, state="active"))
        client: Body | None = None
        if "client_id" in ids:
            client = await visit.ask("sharing", "get_client", asked(GetClient, client_id=ids["client_id"]))
            if not form.sent:
                form.fill({name: client[name] for name in ("name", "accountable_user_id", "scopes")})
                form.fill({"networks": "\n".join(client["networks"]), "etag": client.get("etag")})
                form.fill_day("expires_at", times.moment(client["expires_at"]).date())
        elif not form.sent:
            form.fill_day("expires_at", times.today() + timedelta(days=365))
        people = [("", "Choose"), *((one["id"], one["name"]) for one in users["items"])]
        return Shown(
            "administration/client.html",
            {"section": "administration", "form": form, "client": client, "people": people},
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        last = form.day("expires_at")
        body: dict[str, Any] = {
            "name": form.text("name"),
            "accountable_user_id": form.text("accountable_user_id"),
            "scopes": form.all("scopes"),
            "networks": [line.strip() for line in form.text("networks").split("\n") if line.strip()],
            "expires_at": times.end_of(last) if last else "",
        }
        if "client_id" in ids:
            changes = form.request(ClientChanges, body)
            patch = asked(PatchClient, client_id=ids["client_id"], if_match=form.etag, changes=changes)
            await visit.tell("sharing", "patch_client", patch, once=form.once)
            return Gone("/administration/systems?done=saved")
        await visit.ask("sharing", "me", GetMe())
        body["agency_id"] = visit.person.agency_id if visit.person else ""
        request = CreateClient(client=form.request(ClientBody, body))
        made = await visit.tell("sharing", "create_client", request, once=form.once)
        return _secret(made)


class Rotate(Page):
    """`/administration/systems/{client_id}/secret`: a new one; the former works for another day."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        once = Form((), visit.typed).once
        request = asked(RotateSecret, client_id=ids["client_id"])
        return _secret(await visit.tell("sharing", "rotate_secret", request, once=once))


class RemoveClient(Page):
    """`/administration/systems/{client_id}/remove`."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(DeleteClient, client_id=ids["client_id"])
        await visit.tell("sharing", "delete_client", request, once=visit.fresh())
        return Gone("/administration/systems?done=gone")


def _secret(made: Body) -> Shown:
    return Shown(
        "administration/secret.html",
        {
            "section": "administration",
            "client_id": made["client_id"],
            "secret": made.get("client_secret"),
            "token": made.get("provisioning_token"),
            "former_until": made.get("former_until"),
        },
    )
