"""Giving a case to another owner: offer it, take it or leave it, what was; and consent confirmed anew."""

from __future__ import annotations

from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.marking import marked
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from gateway.web.wizard import stepped
from services.contracts.cases.cases import GetCase
from services.contracts.errors import NotOwner, NotVisible
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.agencies import ListAgencies
from services.contracts.sharing.directory import ListDirectory, SearchDirectory
from services.contracts.sharing.shares import ChangeShare, GetShare, ShareChange
from services.contracts.sharing.transfers import (
    DecideTransfer,
    ListTransfers,
    OfferTransfer,
    TransferBody,
    TransferDecision,
)

_DONE = {
    "offered": "Offered. You stay the owner until it is accepted.",
    "accepted": "The case is yours.",
    "cancelled": "The offer is taken back.",
}
OFFER_FIELDS = (
    Field("agency_id", "Agency", "select"),
    Field("find", "Search its people", limit=200),
    Field("to_user_id", "Who is to own the case", "choice", missing="Choose who is to own the case"),
    Field("reason", "Why", "area", missing="Say why", limit=500, rows=3,
          hint="They read it before they know anything else of the case, so leave personal details out"),
)  # fmt: skip


class Transfers(Page):
    """`/cases/{case_id}/transfers`: what is offered, and all that was."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case_id = ids["case_id"]
        case, found = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask(
                "sharing",
                "list_transfers",
                asked(ListTransfers, case_id=case_id, limit=50, cursor=visit.query("cursor") or None),
            ),
        )
        offered = next((one for one in found["items"] if one["state"] == "offered"), None)
        return Shown(
            "shares/transfers.html",
            {
                "section": "cases",
                "case": case,
                "case_id": case_id,
                "marking": case.get("marking", "official"),
                "owner": case["my_access"]["via"] == "owner",
                "offered": offered,
                "mine": bool(offered and visit.person and offered["to"]["user"]["id"] == visit.person.id),
                "past": [one for one in found["items"] if one is not offered],
                "next": found["next"],
                "done": _DONE.get(visit.query("done")),
            },
        )


class OfferCase(Page):
    """`/cases/{case_id}/transfers/new`: find somebody, say why, offer."""

    template = "shares/offer.html"

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        return await self._show(visit, Form(OFFER_FIELDS), ids["case_id"])

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        visit.count_unread()
        form, case_id = Form(OFFER_FIELDS, visit.typed), ids["case_id"]
        return await stepped(
            visit, form, self._go(visit, form, case_id), lambda: self._show(visit, form, case_id)
        )

    async def _go(self, visit: Visit, form: Form, case_id: str) -> Outcome:
        if form.text("go") == "find":
            return await self._show(visit, form, case_id)
        form.check()
        body = {name: form.text(name) for name in ("to_user_id", "reason")}
        request = asked(OfferTransfer, case_id=case_id, transfer=form.request(TransferBody, body))
        await visit.tell("sharing", "offer_transfer", request, once=form.once)
        return Gone(self.back_to(case_id))

    def back_to(self, case_id: str) -> str:
        return f"/cases/{case_id}/transfers?done=offered"

    async def about(self, visit: Visit, case_id: str) -> Body:
        """What stands on the page beside the form. Raises NotOwner."""
        case = await visit.ask("cases", "get_case", asked(GetCase, case_id=case_id))
        if case["my_access"]["via"] != "owner":
            raise NotOwner
        agencies = await visit.ask("sharing", "list_agencies", ListAgencies(limit=100))
        offered = [one for one in agencies["items"] if one["type"] != "operator" and one["state"] == "active"]
        return {
            "section": "cases",
            "case": case,
            "marking": case.get("marking", "official"),
            "agencies": [(one["id"], one["name"]) for one in offered],
        }

    async def _show(self, visit: Visit, form: Form, case_id: str) -> Shown:
        context = await self.about(visit, case_id)
        ours = visit.person.agency_id if visit.person else ""
        agency_id = form.text("agency_id") or ours
        form.fill({"agency_id": agency_id})
        people = await people_of(visit, agency_id, form.text("find"))
        return Shown(self.template, {"form": form, "case_id": case_id, "people": people, **context})


class Deciding(FormPage):
    """One answer to an offer. The page shows the offer that stands; there is one at a time."""

    template: str
    done = ""

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        found = await visit.ask("sharing", "list_transfers", asked(ListTransfers, case_id=ids["case_id"]))
        offer = next((one for one in found["items"] if one["id"] == ids["transfer_id"]), None)
        if offer is None:
            raise NotVisible
        context = {"section": "cases", "form": form, "case_id": ids["case_id"], "offer": offer}
        return Shown(self.template, {**context, **await self.more(visit, ids["case_id"])})

    async def more(self, visit: Visit, case_id: str) -> Body:
        return await marked(visit, case_id)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body: dict[str, Any] = {"state": self.done}
        for name in ("reason", "team_id"):
            if form.text(name):
                body[name] = form.text(name)
        request = asked(DecideTransfer, **ids, decision=form.request(TransferDecision, body))
        await visit.tell("sharing", "decide_transfer", request, once=form.once)
        return Gone(self.back_to(ids["case_id"]))

    def back_to(self, case_id: str) -> str:
        return f"/cases/{case_id}/transfers?done={self.done}"


class Accept(Deciding):
    """`/cases/{case_id}/transfers/{transfer_id}/accept`: says what becomes the visitor's."""

    template, done = "shares/transfer_accept.html", "accepted"
    fields = (
        Field("team_id", "Which of your teams works on it with you?", "choice"),
        Field("reason", "Note to whoever reads the history", "area", limit=500, rows=3,
              hint="You can leave it empty"),
    )  # fmt: skip

    async def more(self, visit: Visit, case_id: str) -> Body:
        case, me = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask("sharing", "me", GetMe()),
        )
        teams = [(team["id"], team["name"]) for team in me["teams"]]
        return {"case": case, "teams": [*teams, ("", "None: nobody in my agency but me")]}


class Decline(Deciding):
    """`/cases/{case_id}/transfers/{transfer_id}/decline`."""

    template, done = "shares/transfer_decline.html", "declined"
    fields = (Field("reason", "Why", "area", missing="Say why", limit=500, rows=3),)

    def back_to(self, case_id: str) -> str:
        """Whoever declined knows of the case no more."""
        return "/inbox"


class Cancel(Deciding):
    """`/cases/{case_id}/transfers/{transfer_id}/cancel`: the owner takes it back."""

    template, done = "shares/transfer_cancel.html", "cancelled"
    fields = (Field("reason", "Why", "area", limit=500, rows=3, hint="You can leave it empty"),)


class ConfirmConsent(FormPage):
    """`/cases/{case_id}/shares/{share_id}/consent`: what a new owner knows of the consent behind it."""

    fields = (
        Field("consent", "Consent of those concerned", "choice", missing="Say whether there is consent",
              options=tuple(words.choices("consent")), pointer="/consent"),
        Field("consent_reason", "Why without consent", "area", limit=500, rows=3, pointer="/consent/reason",
              hint="Needed unless consent is given"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        share, marking = await visit.together(
            visit.ask("sharing", "get_share", asked(GetShare, **ids)), marked(visit, ids["case_id"])
        )
        form.fill({"etag": share.get("etag")})
        context = {"section": "cases", "form": form, "share": share, "case_id": ids["case_id"], **marking}
        return Shown("shares/consent.html", context)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        consent = {"state": form.text("consent")}
        if form.text("consent_reason"):
            consent["reason"] = form.text("consent_reason")
        change = form.request(ShareChange, {"consent": consent})
        request = asked(ChangeShare, **ids, if_match=form.etag, change=change)
        await visit.tell("sharing", "change_share", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/shares/{ids['share_id']}?done=changed")


async def people_of(visit: Visit, agency_id: str, find: str) -> list[Body]:
    """People of an agency, those found by the words first typed."""
    if find:
        request = SearchDirectory(text=find[:200], agency_id=agency_id, limit=100)
        found = await visit.ask("sharing", "search_directory", request)
    else:
        found = await visit.ask(
            "sharing", "list_directory", asked(ListDirectory, agency_id=agency_id, limit=100)
        )
    return [one for one in found["items"] if one["kind"] == "user"]
