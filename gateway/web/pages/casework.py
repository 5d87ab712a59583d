"""Changes to a case itself: title and summary, status, people and places."""

from __future__ import annotations

from typing import Any

from gateway.web import words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.forms.subjects import SUBJECT_FIELDS, subject_body
from gateway.web.marking import marked
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from services.contracts.cases.cases import (
    CaseChanges,
    CaseMove,
    CaseSubjectBody,
    GetCase,
    MoveCase,
    PatchCase,
    PutCaseSubject,
    RemoveCaseSubject,
)
from services.contracts.cases.links import ListLinks
from services.contracts.cases.subjects import CreateSubject, GetSubject, SearchSubjects
from services.contracts.sharing.account import GetMe

_ROLE = Field("role", "Role in this case", "select", missing="Choose the role",
              options=(("", "Choose"), *words.choices("case_role")))  # fmt: skip


class EditCase(FormPage):
    """`/cases/{case_id}/edit`."""

    fields = (
        Field("title", "Title", missing="Enter a title", limit=120),
        Field("priority", "Priority", "choice", options=tuple(words.choices("priority"))),
        Field("marking", "Protective marking", "choice", options=tuple(words.choices("marking"))),
        Field("summary", "Summary", "area", limit=10_000, rows=6),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case = await visit.ask("cases", "get_case", asked(GetCase, case_id=ids["case_id"]))
        form.fill({name: case.get(name) for name in ("title", "priority", "marking", "summary", "etag")})
        return Shown(
            "cases/edit.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "changed": form.stale,
                "marking": case.get("marking", "official"),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        body: dict[str, Any] = {name: form.text(name) for name in ("title", "priority", "marking")}
        if form.has("summary"):
            body["summary"] = form.text("summary") or None
        changes = form.request(CaseChanges, body)
        request = asked(PatchCase, case_id=ids["case_id"], if_match=form.etag, changes=changes)
        await visit.tell("cases", "patch_case", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=case")


class MoveStatus(FormPage):
    """`/cases/{case_id}/status`: to another status, closing and reopening too, each with its reason."""

    fields = (
        Field("to", "New status", "choice", missing="Choose the new status"),
        Field("reason", "Reason", "area", missing="Say why", limit=2000, rows=4),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case = await visit.ask("cases", "get_case", asked(GetCase, case_id=ids["case_id"]))
        now, owner = case.get("status"), case["my_access"]["via"] == "owner"
        if now == "closed":
            offered = [("open", "Reopen the case")]
        else:
            offered = [
                (code, "Close the case" if code == "closed" else text)
                for code, text in words.choices("status")
                if code != now and (owner or code != "closed")
            ]
        return Shown(
            "cases/status.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "offered": offered,
                "marking": case.get("marking", "official"),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        move = form.request(CaseMove, {"to": form.text("to"), "reason": form.text("reason")})
        await visit.tell(
            "cases", "move_case", asked(MoveCase, case_id=ids["case_id"], move=move), once=form.once
        )
        return Gone(f"/cases/{ids['case_id']}?done=status")


class AddSubject(FormPage):
    """`/cases/{case_id}/subjects/new`: find one that the own team has entered, or enter a new one."""

    fields = (Field("find", "Search what your team has entered", limit=200), _ROLE, *SUBJECT_FIELDS)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case, me = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=ids["case_id"])),
            visit.ask("sharing", "me", GetMe()),
        )
        found = None
        if form.text("act") == "find" and form.text("find"):
            request = SearchSubjects(text=form.text("find")[:200], limit=25)
            found = (await visit.ask("cases", "search_subjects", request))["items"]
        form.fill({"etag": case.get("etag"), "team_id": me["teams"][0]["id"] if me["teams"] else None})
        return Shown(
            "cases/subject_add.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "found": found,
                "teams": [(team["id"], team["name"]) for team in me["teams"]],
                "kind": form.text("kind") or "person",
                "marking": case.get("marking", "official"),
            },
        )

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form(self.fields, visit.typed)
        if form.text("act") in ("find", "kind"):
            visit.count_unread()
            return await self.show(visit, form, **ids)
        return await super().post(visit, **ids)

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        subject_id = form.text("subject_id") or form.text("made_id")
        if not subject_id:
            body = subject_body(form)
            made = await visit.tell("cases", "create_subject", CreateSubject(subject=body), once=form.once)
            subject_id = str(made["id"])
            # If the case has changed meanwhile, the next try enters nobody a second time.
            form.put("made_id", subject_id)
        role = form.request(CaseSubjectBody, {"role": form.text("role")})
        request = asked(
            PutCaseSubject, case_id=ids["case_id"], subject_id=subject_id, if_match=form.etag, subject=role
        )
        await visit.tell("cases", "put_case_subject", request, once=f"{form.once}-role")
        return Gone(f"/cases/{ids['case_id']}?done=subject")


class SubjectRole(FormPage):
    """`/cases/{case_id}/subjects/{subject_id}`: another role, or out of the case."""

    fields = (_ROLE,)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case = await visit.ask("cases", "get_case", asked(GetCase, case_id=ids["case_id"]))
        one = next(
            (one for one in case.get("subjects", ()) if one["subject"]["id"] == ids["subject_id"]), None
        )
        form.fill({"role": one["role"] if one else "", "etag": case.get("etag")})
        return Shown(
            "cases/subject_role.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "name": one["subject"]["name"] if one else "This subject",
                "marking": case.get("marking", "official"),
            },
        )

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form(self.fields, visit.typed)
        if form.text("act") != "remove":
            return await super().post(visit, **ids)
        request = asked(RemoveCaseSubject, **ids)
        await visit.tell("cases", "remove_case_subject", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=subject")

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        role = form.request(CaseSubjectBody, {"role": form.text("role")})
        request = asked(PutCaseSubject, **ids, if_match=form.etag, subject=role)
        await visit.tell("cases", "put_case_subject", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=subject")


class Subject(Page):
    """`/subjects/{subject_id}?case=`: one person, family, premises or place, and what it is linked to."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case_id = visit.query("case")
        asks = [
            visit.ask("cases", "get_subject", asked(GetSubject, subject_id=ids["subject_id"])),
            visit.ask("cases", "list_links", asked(ListLinks, subject_id=ids["subject_id"], limit=100)),
            *([marked(visit, case_id)] if case_id else []),
        ]
        subject, links, *marking = await visit.together(*asks)
        context = {"section": "cases", "subject": subject, "links": links["items"], "case_id": case_id}
        return Shown("cases/subject.html", {**context, **(marking[0] if marking else {})})
