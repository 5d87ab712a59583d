"""Asking the owner for access to a case that one knows of, and the owner's answer."""

from __future__ import annotations

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.cases.cases import GetCase
from services.contracts.errors import NotVisible
from services.contracts.sharing.asking import (
    AccessAnswer,
    AccessRequestBody,
    AnswerAccessRequest,
    ListAccessRequests,
    RequestAccess,
)

_DONE = {"asked": "Asked. The owner of the case is told.", "answered": "Answered. Who asked is told."}


class AccessRequests(FormPage):
    """`/cases/{case_id}/access-requests`: the owner's list; or one's own requests, and a form for another."""

    fields = (
        Field("reason", "Why do you need access?", "area", missing="Say why you need it", limit=500, rows=4,
              hint="The owner reads this. Leave personal details out"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case_id, cursor = ids["case_id"], visit.query("cursor") or None
        case, found = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask(
                "sharing",
                "list_access_requests",
                asked(ListAccessRequests, case_id=case_id, limit=50, cursor=cursor),
            ),
        )
        return Shown(
            "shares/access_requests.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "case_id": case_id,
                "marking": case.get("marking", "official"),
                "owner": case["my_access"]["via"] == "owner",
                "items": found["items"],
                "next": found["next"],
                "waiting": any(one["state"] == "open" for one in found["items"]),
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = form.request(AccessRequestBody, {"reason": form.text("reason")})
        await visit.tell("sharing", "request_access", asked(RequestAccess, **ids, asked=body), once=form.once)
        return Gone(f"/cases/{ids['case_id']}/access-requests?done=asked")


class AnswerOne(FormPage):
    """`/cases/{case_id}/access-requests/{request_id}`: the owner shares the case first, or declines."""

    fields = (
        Field("state", "What is your answer?", "choice", missing="Choose one",
              options=(("shared", "I have shared the case with them"), ("declined", "No"))),
        Field("answer", "Say why", "area", limit=500, rows=3, hint="Who asked reads this"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        request = asked(ListAccessRequests, case_id=ids["case_id"], limit=100)
        found = await visit.ask("sharing", "list_access_requests", request)
        one = next((one for one in found["items"] if one["id"] == ids["request_id"]), None)
        if one is None:
            raise NotVisible
        context = {"section": "cases", "form": form, "case_id": ids["case_id"], "one": one}
        return Shown("shares/access_request.html", context)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = {"state": form.text("state"), "answer": form.text("answer") or None}
        request = asked(AnswerAccessRequest, **ids, answer=form.request(AccessAnswer, body))
        await visit.tell("sharing", "answer_access_request", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/access-requests?done=answered")
