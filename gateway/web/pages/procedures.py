"""The Security Operating Procedure: its versions, and how the next one is published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight, Typed
from gateway.web.forms.rows import count_rows
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.errors import ProcedureMissing
from services.contracts.sharing.procedures import (
    GetCurrentProcedure,
    ListProcedures,
    ProcedureBody,
    PublishProcedure,
)

_DONE = {"published": "Published."}


class Procedures(Page):
    """`/administration/procedures`: every version."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(ListProcedures, limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("sharing", "list_procedures", request)
        return Shown(
            "administration/procedures.html",
            {
                "section": "administration",
                "items": found["items"],
                "next": found["next"],
                "author": visit.person is not None and visit.person.is_any("security_manager"),
                "done": _DONE.get(visit.query("done")),
            },
        )


class NewProcedure(FormPage):
    """`/administration/procedures/new`: the next version, beginning from the present one."""

    def make(self, typed: Typed | None = None) -> Form:
        clauses = [
            field
            for row in range(count_rows(typed))
            for field in (
                Field(f"heading-{row}", f"Clause {row + 1}: heading", limit=120),
                Field(f"text-{row}", f"Clause {row + 1}: text", "area", limit=5000, rows=4),
            )
        ]
        return Form(
            (
                Field("title", "Title", missing="Enter the title", limit=120),
                Field("clauses", "Clauses", "hidden"),
                *clauses,
                Field("effective_from", "In effect from", "moment", missing="Say from when"),
                Field("sign_by", "To be signed by", "moment", missing="Say until when"),
            ),
            typed,
        )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        rows = count_rows(visit.typed or None)
        if not form.sent:
            form, rows = await self._begin(visit)
        else:
            await visit.ask("sharing", "list_procedures", ListProcedures(limit=1))
        return Shown(
            "administration/procedure_new.html",
            {"section": "administration", "form": form, "rows": rows},
        )

    async def _begin(self, visit: Visit) -> tuple[Form, int]:
        """With the present version's title and clauses, if there is one."""
        try:
            present: Body = await visit.ask("sharing", "current_procedure", GetCurrentProcedure())
        except ProcedureMissing:
            present = {"title": "Security Operating Procedure", "clauses": []}
        rows = max(1, len(present["clauses"]))
        values: dict[str, list[str]] = {"rows": [str(rows)]}
        form = self.make(values)
        form.sent = False
        form.fill({"title": present["title"]})
        for row, clause in enumerate(present["clauses"]):
            form.fill({f"heading-{row}": clause["heading"], f"text-{row}": clause["text"]})
        now = datetime.now(UTC)
        form.fill_moment("effective_from", now)
        form.fill_moment("sign_by", now + timedelta(days=14))
        return form, rows

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        if visit.typed.get("act", [""])[-1] == "row":
            visit.count_unread()
            visit.typed = {**visit.typed, "rows": [str(min(count_rows(visit.typed) + 1, 150))]}
            return await self.show(visit, self.make(visit.typed), **ids)
        return await super().post(visit, **ids)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        clauses: list[dict[str, object]] = []
        for row in range(count_rows(visit.typed)):
            heading, text = form.text(f"heading-{row}"), form.text(f"text-{row}")
            if not heading and not text:
                continue
            if not heading or not text:
                form.wrong(f"heading-{row}", f"Clause {row + 1} needs a heading and a text")
                raise NotRight
            clauses.append({"no": len(clauses) + 1, "heading": heading, "text": text})
        if not clauses:
            form.wrong("heading-0", "Write at least one clause")
        body = {
            "title": form.text("title"),
            "clauses": clauses,
            "effective_from": form.moment("effective_from"),
            "sign_by": form.moment("sign_by"),
        }
        request = PublishProcedure(procedure=form.request(ProcedureBody, body))
        await visit.tell("sharing", "publish_procedure", request, once=form.once)
        return Gone("/administration/procedures?done=published")
