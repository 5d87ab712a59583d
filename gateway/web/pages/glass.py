"""Emergency access, taken without a share and looked into afterwards; and conflicts of interest."""

from __future__ import annotations

from contextlib import suppress
from math import ceil
from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, Typed
from gateway.web.live import pass_for
from gateway.web.marking import marked
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.cases.cases import GetCase
from services.contracts.errors import ConcordatError, NotVisible, RoleRequired
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.conflicts import (
    MOST_CONFLICTS,
    ConflictBody,
    DeclareConflict,
    ListConflicts,
    WithdrawConflict,
)
from services.contracts.sharing.directory import SearchDirectory
from services.contracts.sharing.glass import (
    BreakGlass,
    GlassBody,
    GlassReview,
    ListGlasses,
    ReviewGlass,
)

_KIND = Field(
    "kind", "What is the conflict?", "choice", missing="Choose one", options=tuple(words.choices("conflict"))
)
_REASON = Field("reason", "Say more", "area", missing="Say more about it", limit=1000, rows=3)
_WHO = Field("user_id", "Who", "choice", missing="Choose who it is")
_PAGE = 100
"""As many as one page can hold."""
_DONE = {
    "1": "Noted. The case does not exist for this person any more.",
    "withdrawn": "Taken back. This person has again what shares and roles give them.",
}
_NAME = Field("text", "Find a person by name", missing="Enter a name", limit=200)


class Emergency(FormPage):
    """`/cases/{case_id}/emergency`: the same page for every id, for it asks nobody about the case."""

    fields = (
        Field(
            "access_reason",
            "Why do you need it?",
            "choice",
            missing="Choose a reason",
            options=tuple(words.choices("reason")),
        ),
        Field(
            "reason",
            "What is the emergency, and why could nobody share the case with you?",
            "area",
            hint="The owner and the data protection officers read this.",
            missing="Say what the emergency is",
            limit=1000,
            rows=4,
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        await visit.ask("sharing", "me", GetMe())
        if visit.person is None or not visit.person.caseworker:
            raise RoleRequired
        return Shown("glass/emergency.html", {"section": "cases", "form": form})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        reason = form.text("access_reason")
        body = form.request(GlassBody, {"reason": form.text("reason")})
        request = asked(BreakGlass, **ids, access_reason=reason, glass=body)
        await visit.tell("sharing", "break_glass", request, once=form.once)
        with suppress(ConcordatError):  # so that the case does not ask for the reason once more
            await visit.ask("cases", "get_case", asked(GetCase, **ids, access_reason=reason))
        return Gone(f"/cases/{ids['case_id']}")


class Glasses(Page):
    """`/cases/{case_id}/break-glass`: who took it, for those who answer for the case."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        cursor = visit.query("cursor") or None
        found = await visit.ask("sharing", "list_glasses", asked(ListGlasses, **ids, limit=50, cursor=cursor))
        return Shown(
            "glass/list.html",
            {
                "section": "cases",
                "case_id": ids["case_id"],
                "items": found["items"],
                "next": found["next"],
                "done": "Your decision is kept." if visit.query("done") else None,
            },
        )


class Glass(FormPage):
    """`/cases/{case_id}/break-glass/{glass_id}`: say whether it was justified."""

    fields = (
        Field(
            "decision",
            "Was it justified?",
            "choice",
            missing="Choose one",
            options=tuple(pair for pair in words.choices("glass") if pair[0] != "open"),
        ),
        Field("reason", "Reason", "area", missing="Say why", limit=1000, rows=4),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        request = asked(ListGlasses, case_id=ids["case_id"], limit=100)
        found = await visit.ask("sharing", "list_glasses", request)
        glass = next((one for one in found["items"] if one["id"] == ids["glass_id"]), None)
        if glass is None:
            raise NotVisible
        context = {"section": "cases", "form": form, "case_id": ids["case_id"], "glass": glass}
        return Shown("glass/review.html", context)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = {"decision": form.text("decision"), "reason": form.text("reason")}
        request = asked(ReviewGlass, **ids, review=form.request(GlassReview, body))
        await visit.tell("sharing", "review_glass", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/break-glass?done=1")


class Conflicts(FormPage):
    """`/cases/{case_id}/conflicts`: the owner's list; a person is found by name, then shut out."""

    def make(self, typed: Typed | None = None) -> Form:
        declares = typed is not None and list(typed.get("act", ())) == ["declare"]
        return Form((_WHO, _KIND, _REASON) if declares else (_NAME,), typed)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case_id, text = ids["case_id"], form.text("text")
        case, found = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask(
                "sharing",
                "list_conflicts",
                asked(ListConflicts, case_id=case_id, limit=50, cursor=visit.query("cursor") or None),
            ),
        )
        people = None
        if text and not form.error("text"):
            request = asked(SearchDirectory, text=text, limit=50)
            named = await visit.ask("sharing", "search_directory", request)
            people = [
                (one["id"], f"{one['name']}, {one['agency']['name']}")
                for one in named["items"]
                if one["kind"] == "user"
            ]
        return Shown(
            "glass/conflicts.html",
            {
                "section": "cases",
                "case": case,
                "case_id": case_id,
                "marking": case.get("marking", "official"),
                "live": pass_for(visit, case_id),
                "items": found["items"],
                "next": found["next"],
                "people": people,
                "text": text,
                "name": form if "text" in form.fields else Form((_NAME,), {"text": [text]}),
                "choice": form if "user_id" in form.fields else Form((_WHO, _KIND, _REASON)),
                "form": form,
                "done": _DONE.get(visit.query("done")),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        if "text" in form.fields:
            return await self.show(visit, form, **ids)
        body = {name: form.text(name) for name in ("user_id", "kind", "reason")}
        request = asked(DeclareConflict, **ids, conflict=form.request(ConflictBody, body))
        await visit.tell("sharing", "declare_conflict", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/conflicts?done=1")


class WithdrawOne(FormPage):
    """`/cases/{case_id}/conflicts/{conflict_id}/withdraw`: it was a mistake, or is over."""

    fields = ()

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        marking, conflict = await visit.together(
            marked(visit, ids["case_id"]), _conflict(visit, ids["case_id"], ids["conflict_id"])
        )
        context = {"section": "cases", "form": form, "case_id": ids["case_id"], "conflict": conflict}
        return Shown("glass/withdraw.html", {**context, **marking})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        await visit.tell("sharing", "withdraw_conflict", asked(WithdrawConflict, **ids), once=form.once)
        return Gone(f"/cases/{ids['case_id']}/conflicts?done=withdrawn")


async def _conflict(visit: Visit, case_id: str, conflict_id: str) -> dict[str, Any]:
    """Raises NotVisible."""
    cursor = None
    for _ in range(ceil(MOST_CONFLICTS / _PAGE)):
        request = asked(ListConflicts, case_id=case_id, limit=_PAGE, cursor=cursor)
        found = await visit.ask("sharing", "list_conflicts", request)
        for one in found["items"]:
            if one["id"] == conflict_id:
                return dict(one)
        cursor = found["next"]
        if cursor is None:
            break
    raise NotVisible


class OwnConflict(FormPage):
    """`/cases/{case_id}/conflicts/own`: whoever sees the case says that it concerns them, and loses it."""

    fields = (
        Field(
            "kind",
            "How does it concern you?",
            "choice",
            missing="Choose one",
            options=(
                ("subject", "It is about me"),
                ("household", "I live with somebody whom it is about"),
                ("neighbour", "I live near somebody whom it is about"),
                ("other", "In another way"),
            ),
        ),
        _REASON,
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case = await visit.ask("cases", "get_case", asked(GetCase, **ids))
        return Shown(
            "glass/own_conflict.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "case_id": ids["case_id"],
                "marking": case.get("marking", "official"),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        me = await visit.ask("sharing", "me", GetMe())
        body = {"user_id": me["user"]["id"], "kind": form.text("kind"), "reason": form.text("reason")}
        request = asked(DeclareConflict, **ids, conflict=form.request(ConflictBody, body))
        await visit.tell("sharing", "declare_conflict", request, once=form.once)
        return Gone("/cases")
