"""Information sharing protocols, with their dates: between whom, for what, by which legal gateway."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from gateway.web import times, words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, Typed
from gateway.web.forms.rows import count_rows
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.pages.agencies import DONE, TYPES, WHY, is_operator
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.sharing.agencies import ListAgencies
from services.contracts.sharing.protocols import (
    CreateProtocol,
    GetProtocol,
    ListProtocols,
    MoveProtocol,
    PatchProtocol,
    ProtocolBody,
    ProtocolChanges,
    ProtocolMove,
)


class Protocols(Page):
    """`/administration/protocols`, each with its dates."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(ListProtocols, limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("sharing", "list_protocols", request)
        return Shown(
            "administration/protocols.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "operator": is_operator(visit),
                "today": times.today().isoformat(),
            },
        )


_CONTACTS = (
    Field("spoc_name", "Single point of contact: name", missing="Enter the name", limit=120,
          pointer="/spoc/name"),
    Field("spoc_email", "Single point of contact: e-mail", "email", missing="Enter the e-mail address",
          limit=254, pointer="/spoc/email"),
    Field("dpo_name", "Data protection officer: name", missing="Enter the name", limit=120,
          pointer="/dpo/name"),
    Field("dpo_email", "Data protection officer: e-mail", "email", missing="Enter the e-mail address",
          limit=254, pointer="/dpo/email"),
)  # fmt: skip
_DATES = (
    Field("starts_on", "First day", "day", missing="Enter the first day"),
    Field("ends_on", "Last day", "day", missing="Enter the last day"),
    Field("review_on", "Review on", "day", missing="Enter the review date"),
)


class NewProtocol(FormPage):
    """`/administration/protocols/new`. A row is a purpose with one gateway; rows of one purpose join."""

    def make(self, typed: Typed | None = None) -> Form:
        rows = count_rows(typed)
        purposes = [
            Field(f"{part}-{row}", label, kind, limit=120)
            for row in range(rows)
            for part, label, kind in _ROW
        ]
        return Form(
            (
                Field("title", "Title", missing="Enter the title", limit=120),
                Field("parties", "Parties", "choices", missing="Choose the parties"),
                Field("purposes", "Purposes", "hidden"),
                *purposes,
                Field("data_categories", "Categories of data", "area", rows=4, limit=6000,
                      hint="One a line"),
                *_DATES,
                *_CONTACTS,
            ),
            typed,
        )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        found = await visit.ask("sharing", "list_agencies", ListAgencies(limit=100))
        if not form.sent:
            today = times.today()
            form.fill_day("starts_on", today)
            form.fill_day("ends_on", today + timedelta(days=365))
            form.fill_day("review_on", today + timedelta(days=300))
        return Shown(
            "administration/protocol_new.html",
            {
                "section": "administration",
                "form": form,
                "rows": count_rows(visit.typed or None),
                "types": [pair for pair in TYPES if pair[0] != "operator"],
                "agencies": [(one["id"], one["name"]) for one in found["items"] if one["type"] != "operator"],
            },
        )

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        if visit.typed.get("act", [""])[-1] == "row":
            visit.count_unread()
            rows = min(count_rows(visit.typed) + 1, 20)
            visit.typed = {**visit.typed, "rows": [str(rows)]}
            return await self.show(visit, self.make(visit.typed), **ids)
        return await super().post(visit, **ids)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = {
            "title": form.text("title"),
            "parties": form.all("parties"),
            "purposes": _purposes(form, count_rows(visit.typed)),
            "data_categories": [
                line.strip() for line in form.text("data_categories").split("\n") if line.strip()
            ],
            "starts_on": form.day("starts_on"),
            "ends_on": form.day("ends_on"),
            "review_on": form.day("review_on"),
            "spoc": {"name": form.text("spoc_name"), "email": form.text("spoc_email")},
            "dpo": {"name": form.text("dpo_name"), "email": form.text("dpo_email")},
        }
        request = CreateProtocol(protocol=form.request(ProtocolBody, body))
        made = await visit.tell("sharing", "create_protocol", request, once=form.once)
        return Gone(f"/administration/protocols/{made['id']}?done=saved")


_ROW: tuple[tuple[str, str, Any], ...] = (
    ("purpose_code", "Purpose: code", "text"),
    ("purpose_name", "Purpose: name", "text"),
    ("gateway_code", "Legal gateway: code", "text"),
    ("gateway_name", "Legal gateway: name", "text"),
    ("types", "It runs to", "choices"),
)


def _purposes(form: Form, rows: int) -> list[Body]:
    """Of the rows that have anything in them. Raises NotRight for one that is not complete."""
    found: dict[str, Body] = {}
    for row in range(rows):
        given = {part: form.text(f"{part}-{row}") for part, _, _ in _ROW[:4]}
        types = form.all(f"types-{row}")
        if not any(given.values()) and not types:
            continue
        for part, label, _ in _ROW[:4]:
            if not given[part]:
                form.wrong(f"{part}-{row}", f"{label} is missing")
        if not types:
            form.wrong(f"types-{row}", "Choose to which types of agency it runs")
        purpose = found.setdefault(
            given["purpose_code"],
            {"code": given["purpose_code"], "name": given["purpose_name"], "legal_gateways": []},
        )
        gateway = {"code": given["gateway_code"], "name": given["gateway_name"], "recipient_types": types}
        purpose["legal_gateways"].append(gateway)
    if not found:
        form.wrong("purpose_code-0", "Enter at least one purpose")
    form.require()
    return list(found.values())


class OneProtocol(FormPage):
    """`/administration/protocols/{protocol_id}`: renewal is a later last day."""

    fields = (*_DATES[1:], *_CONTACTS)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        protocol, agencies = await visit.together(
            visit.ask("sharing", "get_protocol", asked(GetProtocol, **ids)),
            visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
        )
        if not form.sent:
            form.fill({"etag": protocol.get("etag")})
            for who in ("spoc", "dpo"):
                form.fill({f"{who}_name": protocol[who]["name"], f"{who}_email": protocol[who]["email"]})
            for name in ("ends_on", "review_on"):
                form.fill_day(name, datetime.fromisoformat(protocol[name]).date())
        return Shown(
            "administration/protocol.html",
            {
                "section": "administration",
                "form": form,
                "protocol": protocol,
                "names": {one["id"]: one["name"] for one in agencies["items"]},
                "operator": is_operator(visit),
                "today": times.today().isoformat(),
                "done": DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        changes = form.request(
            ProtocolChanges,
            {
                "ends_on": form.day("ends_on"),
                "review_on": form.day("review_on"),
                "spoc": {"name": form.text("spoc_name"), "email": form.text("spoc_email")},
                "dpo": {"name": form.text("dpo_name"), "email": form.text("dpo_email")},
            },
        )
        request = asked(PatchProtocol, **ids, if_match=form.etag, changes=changes)
        await visit.tell("sharing", "patch_protocol", request, once=form.once)
        return Gone(f"/administration/protocols/{ids['protocol_id']}?done=saved")


class ProtocolState(FormPage):
    """`/administration/protocols/{protocol_id}/state`: sign, put in force, end."""

    fields = (
        Field("to", "New state", "choice", missing="Choose the new state"),
        WHY,
        Field("signatory_name", "Who signed", limit=120, pointer="/signatory/name",
              hint="When it is signed"),
        Field("signatory_agency", "For which agency", "select", pointer="/signatory/agency_id"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        protocol, agencies = await visit.together(
            visit.ask("sharing", "get_protocol", asked(GetProtocol, **ids)),
            visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
        )
        parties = [(one["id"], one["name"]) for one in agencies["items"] if one["id"] in protocol["parties"]]
        return Shown(
            "administration/protocol_state.html",
            {
                "section": "administration",
                "form": form,
                "protocol": protocol,
                "offered": [pair for pair in words.choices("protocol_state") if pair[0] != protocol["state"]],
                "parties": [("", "None"), *parties],
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body: dict[str, Any] = {"to": form.text("to"), "reason": form.text("reason")}
        if form.text("signatory_name"):
            if not form.text("signatory_agency"):
                form.wrong("signatory_agency", "Choose for which agency it was signed")
            body["signatory"] = {
                "name": form.text("signatory_name"),
                "agency_id": form.text("signatory_agency"),
            }
        request = asked(MoveProtocol, **ids, move=form.request(ProtocolMove, body))
        await visit.tell("sharing", "move_protocol", request, once=form.once)
        return Gone(f"/administration/protocols/{ids['protocol_id']}?done=moved")
