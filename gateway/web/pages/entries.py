"""The timeline: add, look at earlier versions, correct, withdraw."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight
from gateway.web.marking import marked
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.cases.cases import GetCase
from services.contracts.cases.entries import (
    AddEntry,
    EntryBody,
    EntryChanges,
    GetEntry,
    ReviseEntry,
    WithdrawalBody,
    WithdrawEntry,
)
from services.contracts.errors import Refused
from services.contracts.sharing.agencies import ListAgencies
from services.contracts.vocabulary import EntryType

_TYPES: tuple[EntryType, ...] = ("incident_report", "note", "intervention", "contact")
_WHY = Field("reason", "Reason", "area", missing="Say why", limit=2000, rows=3)
_TEXT = Field("text", "What happened", "area", missing="Write what happened", limit=20_000, rows=8)


class NewEntry(FormPage):
    """`/cases/{case_id}/entries/new?type=`: one form whose questions depend on the type."""

    fields = (
        Field("occurred_at", "When it happened", "moment"),
        Field("reported_at", "When it was reported", "moment", hint="Leave it empty if it was not reported"),
        Field("channel", "How it was reported", "select",
              options=(("", "Not said"), *words.choices("channel"))),
        _TEXT,
        Field("subject_ids", "Whom or what it is about", "choices"),
        Field("withhold_from", "Keep it from", "choices",
              hint="For these agencies this entry will not exist, even if the case is shared with them"),
        Field("kind", "What was done", pointer="/intervention/kind", limit=120,
              hint="For example: warning letter, injunction, home visit"),
        Field("outcome", "Outcome", "area", pointer="/intervention/outcome", limit=2000, rows=3,
              hint="Leave it empty while there is none"),
        Field("ended_at", "When it ended", "moment", pointer="/intervention/ended_at",
              hint="Leave it empty while it goes on"),
    )  # fmt: skip

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case, agencies = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=ids["case_id"])),
            visit.ask("sharing", "list_agencies", ListAgencies(limit=100)),
        )
        if not form.sent or form.text("quick"):
            form.fill_moment("occurred_at", datetime.now(UTC))
        keep_from = [
            (one["id"], one["name"])
            for one in agencies["items"]
            if one["id"] not in (case["owner"]["agency"]["id"], visit.person and visit.person.agency_id)
            and one["type"] != "operator"
        ]
        return Shown(
            "cases/entry_new.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "type": _type(visit),
                "subjects": [
                    (
                        one["subject"]["id"],
                        f"{one['subject']['name']} ({words.word('case_role', one['role'])})",
                    )
                    for one in case.get("subjects", ())
                ],
                "keep_from": keep_from,
                "marking": case.get("marking", "official"),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        kind = _type(visit)
        if form.text("quick"):
            form.fill_moment("occurred_at", datetime.now(UTC))
        occurred = form.moment("occurred_at")
        if occurred is None and not form.error("occurred_at"):
            form.wrong("occurred_at", "Say when it happened")
        body: dict[str, Any] = {
            "type": kind,
            "occurred_at": occurred,
            "text": form.text("text"),
            "subject_ids": form.all("subject_ids"),
            "withhold_from": form.all("withhold_from"),
        }
        if kind in ("incident_report", "contact"):
            if (reported := form.moment("reported_at")) is not None:
                body["reported_at"] = reported
            if channel := form.text("channel"):
                body["channel"] = channel
        if kind == "intervention":
            if not form.text("kind"):
                form.wrong("kind", "Say what was done")
            body["intervention"] = _intervention(form, None)
        request = asked(AddEntry, case_id=ids["case_id"], entry=form.request(EntryBody, body))
        made = await visit.tell("cases", "add_entry", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=note#entry-{made['id']}")


class OneEntry(Page):
    """`/cases/{case_id}/entries/{entry_id}`: with every earlier version."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        entry, marking = await visit.together(
            visit.ask("cases", "get_entry", asked(GetEntry, **ids)), marked(visit, ids["case_id"])
        )
        context = {"section": "cases", "entry": entry, "case_id": ids["case_id"], **marking}
        return Shown("cases/entry.html", context)


class CorrectEntry(FormPage):
    """`/cases/{case_id}/entries/{entry_id}/correct`: a revision; what it said before stays readable."""

    fields = (
        Field("occurred_at", "When it happened", "moment"),
        _TEXT,
        Field("kind", "What was done", pointer="/intervention/kind", limit=120),
        Field("outcome", "Outcome", "area", pointer="/intervention/outcome", limit=2000, rows=3),
        Field("ended_at", "When it ended", "moment", pointer="/intervention/ended_at"),
        Field("reason", "Why it is corrected", "area", missing="Say why it is corrected", limit=2000, rows=3),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        entry, marking = await visit.together(
            visit.ask("cases", "get_entry", asked(GetEntry, **ids)), marked(visit, ids["case_id"])
        )
        if not form.sent:
            form.fill({"text": entry.get("text"), "etag": entry.get("etag"), "was": entry["occurred_at"]})
            form.fill_moment("occurred_at", entry["occurred_at"])
            if done := entry.get("intervention"):
                form.fill({"kind": done["kind"], "outcome": done["outcome"] or ""})
                form.fill_moment("ended_at", done["ended_at"])
        return Shown(
            "cases/entry_correct.html",
            {
                "section": "cases",
                "form": form,
                "entry": entry,
                "case_id": ids["case_id"],
                "changed": form.stale,
                **marking,
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        entry = await visit.ask("cases", "get_entry", asked(GetEntry, **ids))
        changes: dict[str, Any] = {"reason": form.text("reason")}
        if form.text("text") != (entry.get("text") or "").strip():
            changes["text"] = form.text("text")
        occurred, before = form.moment("occurred_at"), datetime.fromisoformat(entry["occurred_at"])
        # The form knows no seconds: the same minute is no change.
        if occurred is not None and occurred.replace(second=0) != before.replace(second=0, microsecond=0):
            changes["occurred_at"] = occurred
        if entry["type"] == "intervention":
            now = _intervention(form, (entry.get("intervention") or {}).get("responsible_user_id"))
            if not _same(now, entry.get("intervention")):
                changes["intervention"] = now
        if len(changes) == 1:
            form.fail("Nothing is changed yet")
            raise NotRight
        body = form.request(EntryChanges, changes)
        request = asked(ReviseEntry, **ids, if_match=form.etag, changes=body)
        await visit.tell("cases", "revise_entry", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=entry#entry-{ids['entry_id']}")


class WithdrawOne(FormPage):
    """`/cases/{case_id}/entries/{entry_id}/withdraw`: it keeps its place and loses what it said."""

    fields = (_WHY,)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        entry, marking = await visit.together(
            visit.ask("cases", "get_entry", asked(GetEntry, **ids)), marked(visit, ids["case_id"])
        )
        if entry.get("withdrawn") and not form.problems:
            raise Refused(cause="withdrawn already")
        context = {"section": "cases", "form": form, "entry": entry, "case_id": ids["case_id"], **marking}
        return Shown("cases/entry_withdraw.html", context)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body = form.request(WithdrawalBody, {"reason": form.text("reason")})
        request = asked(WithdrawEntry, **ids, withdrawal=body)
        await visit.tell("cases", "withdraw_entry", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=entry#entry-{ids['entry_id']}")


def _type(visit: Visit) -> EntryType:
    asked_for = visit.query("type")
    return next((one for one in _TYPES if one == asked_for), "note")


def _intervention(form: Form, responsible: str | None) -> Body:
    return {
        "kind": form.text("kind"),
        "responsible_user_id": responsible,
        "outcome": form.text("outcome") or None,
        "ended_at": ended.isoformat() if (ended := form.moment("ended_at")) else None,
    }


def _same(now: Body, before: Body | None) -> bool:
    """But for the seconds that the form does not know."""
    if before is None:
        return False
    ends = [one["ended_at"] and datetime.fromisoformat(one["ended_at"]) for one in (now, before)]
    minutes = [end and end.replace(second=0, microsecond=0) for end in ends]
    return minutes[0] == minutes[1] and all(
        now[name] == before[name] for name in ("kind", "responsible_user_id", "outcome")
    )
