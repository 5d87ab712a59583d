"""Statements to people: those that were issued, a new one, one to be printed."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import msgspec

from gateway.web import times, words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.audit import ListKeys
from services.contracts.errors import Unavailable
from services.contracts.statements import (
    GetStatement,
    IssueStatement,
    ListStatements,
    PreviewStatement,
    StatementBody,
)

MOST_PIECES = 20
"""Of a statement on one page; the file has all."""
_CHOICE = "withhold-"


class Statements(Page):
    """`/audit/statements`: those issued, and where a new one begins."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        request = asked(ListStatements, limit=50, cursor=visit.query("cursor") or None)
        found = await visit.ask("audit", "list_statements", request)
        return Shown(
            "audit/statements.html", {"section": "audit", "items": found["items"], "next": found["next"]}
        )


class NewStatement(FormPage):
    """`/audit/statements/new?subject_id=&from=&to=`: what it would say, and what of it is withheld."""

    fields = (Field("subject_id", "Subject", "hidden", missing="Say whom the statement is for", limit=64),)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        subject_id = form.text("subject_id") or visit.query("subject_id").strip()
        found: Body = {"items": []}
        if subject_id:
            form.put("subject_id", subject_id)
            request = asked(PreviewStatement, subject_id=subject_id, **_period(visit))
            found = await visit.ask("audit", "preview_statement", request)
        else:
            # Whoever may not is told so here; the page asks whom it is for.
            await visit.ask("audit", "list_statements", ListStatements(limit=1))
        return Shown(
            "audit/statement_new.html",
            {
                "section": "audit",
                "form": form,
                "items": found["items"],
                "exemptions": words.choices("exemption"),
                "chosen": {one["id"]: form.text(_CHOICE + one["id"]) for one in found["items"]},
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        withheld = []
        for name, values in visit.typed.items():
            what, found, exemption = (values[-1] if values else "").partition(":")
            if name.startswith(_CHOICE) and found:
                entry_id = name.removeprefix(_CHOICE)
                withheld.append({"entry_id": entry_id, "what": what, "exemption": exemption})
        body: dict[str, Any] = {"subject_id": form.text("subject_id"), "withhold": withheld, **_period(visit)}
        request = IssueStatement(statement=asked(StatementBody, **body))
        made = await visit.tell("audit", "issue_statement", request, once=form.once)
        return Gone(f"/audit/statements/{made['id']}")


class Statement(Page):
    """`/audit/statements/{statement_id}`, to be read and printed."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        keys = await visit.ask("audit", "list_keys", ListKeys())
        context: Body = {
            "section": "audit",
            "statement": None,
            "id": ids["statement_id"],
            "keys": keys["items"],
        }
        try:
            context |= await self._read(visit, ids)
        except Unavailable:
            # The log has its entry, under a checkpoint, within seconds; until then the page says so.
            return Shown("audit/statement.html", context)
        return Shown("audit/statement.html", context)

    @staticmethod
    async def _read(visit: Visit, ids: dict[str, str]) -> Body:
        lines: list[Body] = []
        found: Body = {}
        cursor: str | None = None
        for _ in range(MOST_PIECES):
            found = await visit.ask("audit", "get_statement", asked(GetStatement, cursor=cursor, **ids))
            lines += [msgspec.json.decode(one["text"]) for one in found["lines"]]
            cursor = found["next"]
            if cursor is None:
                break
        return {
            "statement": msgspec.json.decode(found["head"]),
            "lines": lines,
            "more": cursor is not None,
            "checkpoint": found["checkpoint"],
            "index": found["record"]["index"],
        }


def _period(visit: Visit) -> dict[str, Any]:
    """From and to (both days included) of the query string."""
    found: dict[str, Any] = {}
    for name, days in (("from", 0), ("to", 1)):
        try:
            day = date.fromisoformat(visit.query(name))
        except ValueError:
            continue
        found["since" if name == "from" else "until"] = times.to_utc(day + timedelta(days=days), time())
    return found
