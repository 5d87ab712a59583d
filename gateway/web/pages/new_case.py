"""`/cases/new`: details, people and places, incident reports, check answers. One page, step after step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.web import words
from gateway.web.forms.drafts import CaseDraft, DraftReport, DraftSubject, fingerprint, read_draft
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form, NotRight
from gateway.web.forms.subjects import SUBJECT_FIELDS, subject_values
from gateway.web.page import Gone, Outcome, Page, Shown
from gateway.web.requests import asked
from gateway.web.visit import Visit
from gateway.web.wizard import stepped
from services.contracts.cases.cases import CaseBody, CreateCase
from services.contracts.cases.entries import AddEntry, EntryBody
from services.contracts.cases.subjects import CreateSubject, SearchSubjects, SubjectBody
from services.contracts.sharing.account import GetMe

STEPS = ("details", "subjects", "reports", "check")
_PRIORITIES, _MARKINGS = tuple(words.choices("priority")), tuple(words.choices("marking"))
_FIELDS: dict[str, tuple[Field, ...]] = {
    "details": (
        Field("template", "Kind of case", "choice", missing="Choose the kind of case",
              options=tuple(words.choices("template"))),
        Field("title", "Title", missing="Enter a title", limit=120,
              hint="What the case is called in lists. Avoid names where you can"),
        Field("priority", "Priority", "choice", missing="Choose the priority", options=_PRIORITIES),
        Field("marking", "Protective marking", "choice", missing="Choose the marking", options=_MARKINGS),
        Field("owner_team_id", "Which of your teams works on it with you?", "choice",
              hint="Its members can read and add. Nobody else in your agency sees the case"),
        Field("summary", "Summary", "area", limit=10_000, rows=5, hint="You can leave it empty"),
    ),
    "subjects": (
        Field("find", "Search what your team has entered", limit=200),
        Field("role", "Role in this case", "select", options=(("", "Choose"), *words.choices("case_role"))),
        *SUBJECT_FIELDS,
    ),
    "reports": (
        Field("occurred_at", "When it happened", "moment"),
        Field("reported_at", "When it was reported", "moment", hint="Leave it empty if it was not reported"),
        Field("channel", "How it was reported", "select",
              options=(("", "Not said"), *words.choices("channel"))),
        Field("text", "What happened", "area", limit=20_000, rows=6),
    ),
    "check": (),
}  # fmt: skip
_PLACES = {
    "template": "details",
    "title": "details",
    "priority": "details",
    "marking": "details",
    "owner_team_id": "details",
    "summary": "details",
}


class NewCase(Page):
    """The draft travels from step to step in the page; nothing is stored before the last one."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        form = Form(_FIELDS["details"])
        form.fill({"priority": "medium", "marking": "official"})
        return await self._show(visit, form, CaseDraft(), "details")

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        visit.count_unread()
        draft = read_draft(CaseDraft, visit.typed.get("draft", [""])[-1])
        step = visit.typed.get("step", [""])[-1]
        step = step if step in STEPS else "details"
        form = Form(_FIELDS[step], visit.typed)
        return await stepped(
            visit,
            form,
            self._go(visit, form, draft, step),
            lambda: self._show(visit, form, draft, step),
        )

    async def _go(self, visit: Visit, form: Form, draft: CaseDraft, step: str) -> Outcome:
        """What the button that was pressed asks for."""
        go = form.text("go") or "next"
        if go.startswith("to-"):
            return await self._step(visit, form, draft, go.removeprefix("to-"))
        if step == "details":
            return await self._details(visit, form, draft)
        if step == "subjects":
            return await self._subjects(visit, form, draft, go)
        if step == "reports":
            return await self._reports(visit, form, draft, go)
        return await self._create(visit, form, draft)

    async def _step(self, visit: Visit, form: Form, draft: CaseDraft, to: str) -> Shown:
        """Show another step, with what the draft has for it."""
        to = to if to in STEPS else "details"
        next_form = Form(_FIELDS[to])
        next_form.once = form.once
        if to == "details":
            next_form.fill({**{name: getattr(draft, name) for name in _PLACES}})
            next_form.fill({"owner_team_id": draft.owner_team_id or "none"})
        return await self._show(visit, next_form, draft, to)

    async def _details(self, visit: Visit, form: Form, draft: CaseDraft) -> Shown:
        form.check()
        form.require()
        for name in _PLACES:
            setattr(draft, name, form.text(name))
        if draft.owner_team_id == "none":
            draft.owner_team_id = ""
        return await self._step(visit, form, draft, "subjects" if not draft.reports else "check")

    async def _subjects(self, visit: Visit, form: Form, draft: CaseDraft, go: str) -> Shown:
        if go.startswith("remove-"):
            _drop(draft.subjects, go)
            return await self._step(visit, form, draft, "subjects")
        if go == "find":
            return await self._found(visit, form, draft)
        if go == "kind":
            return await self._show(visit, form, draft, "subjects")
        if go != "add" and not _begun(form):
            return await self._step(visit, form, draft, "reports")
        draft.subjects.append(_subject(form))
        return await self._step(visit, form, draft, "subjects" if go == "add" else "reports")

    async def _found(self, visit: Visit, form: Form, draft: CaseDraft) -> Shown:
        if not form.text("find"):
            form.wrong("find", "Enter what to search for")
            raise NotRight
        request = form.request(SearchSubjects, {"text": form.text("find"), "limit": 25})
        found = await visit.ask("cases", "search_subjects", request)
        shown = await self._show(visit, form, draft, "subjects")
        return Shown(shown.template, {**shown.context, "found": found["items"]})

    async def _reports(self, visit: Visit, form: Form, draft: CaseDraft, go: str) -> Shown:
        if go.startswith("remove-"):
            _drop(draft.reports, go)
            return await self._step(visit, form, draft, "reports")
        if go != "add" and not form.text("text"):
            return await self._step(visit, form, draft, "check")
        draft.reports.append(_report(form))
        return await self._step(visit, form, draft, "reports" if go == "add" else "check")

    async def _create(self, visit: Visit, form: Form, draft: CaseDraft) -> Outcome:
        """Subjects, the case, its reports. Sent twice, all of it is made once."""
        if not draft.case_id:
            draft.case_id = await self._make(visit, form, draft)
        for place, report in enumerate(draft.reports):
            body = {"type": "incident_report", **report.model_dump(exclude_none=True)}
            request = asked(AddEntry, case_id=draft.case_id, entry=EntryBody.model_validate(body))
            await visit.tell("cases", "add_entry", request, once=f"{form.once}-{place}-{fingerprint(body)}")
        return Gone(f"/cases/{draft.case_id}?done=made")

    async def _make(self, visit: Visit, form: Form, draft: CaseDraft) -> str:
        subjects = []
        for place, one in enumerate(draft.subjects):
            if not one.id:
                body = form.request(SubjectBody, one.body or {})
                once = f"{form.once}-{place}-{fingerprint(one.body)}"
                made = await visit.tell("cases", "create_subject", CreateSubject(subject=body), once=once)
                # Kept in the draft: should the case be refused, the next try enters nobody a second time.
                one.id, one.body = str(made["id"]), None
            subjects.append({"subject_id": one.id, "role": one.role})
        values: dict[str, Any] = {
            "template": draft.template,
            "title": draft.title,
            "priority": draft.priority,
            "marking": draft.marking,
            "owner_team_id": draft.owner_team_id or None,
            "subjects": subjects,
        }
        if draft.summary:
            values["summary"] = draft.summary
        case = form.request(CaseBody, values)
        once = f"{form.once}-case-{fingerprint(values)}"
        made = await visit.tell("cases", "create_case", CreateCase(case=case), once=once)
        return str(made["id"])

    async def _show(self, visit: Visit, form: Form, draft: CaseDraft, step: str) -> Shown:
        me = await visit.ask("sharing", "me", GetMe())
        teams = [(team["id"], team["name"]) for team in me["teams"]]
        if step == "details" and not form.has("owner_team_id"):
            form.fill({"owner_team_id": teams[0][0] if teams else "none"})
        if step == "subjects":
            form.fill({"team_id": draft.owner_team_id or (teams[0][0] if teams else None)})
        if step == "reports" and not form.sent:
            form.fill_moment("occurred_at", datetime.now(UTC))
        return Shown(
            "cases/new.html",
            {
                "section": "cases",
                "form": form,
                "step": step,
                "draft": draft,
                "written": draft.write(),
                "teams": teams,
                "team_names": dict(teams),
                "kind": form.text("kind") or "person",
                "found": None,
                "marking": draft.marking or "official",
            },
        )


def _begun(form: Form) -> bool:
    """Whether anything was typed or chosen about a further subject."""
    names = ("subject_id", "given", "family", "name", "lines", "postcode", "role")
    return any(form.text(name) for name in names)


def _subject(form: Form) -> DraftSubject:
    role = form.text("role")
    if not role:
        form.wrong("role", "Choose the role")
    if chosen := form.text("subject_id"):
        subject_id, _, rest = chosen.partition("|")
        kind, _, name = rest.partition("|")
        form.require()
        return DraftSubject(id=subject_id, name=name[:300] or "Somebody", kind=kind[:300], role=role)
    values = subject_values(form)
    form.request(SubjectBody, values)
    return DraftSubject(name=_name_of(values), kind=values["kind"], role=role, body=values)


def _name_of(values: dict[str, Any]) -> str:
    if values["kind"] == "person":
        first = values["names"][0]
        return f"{first['given']} {first['family']}".strip()
    if values["kind"] == "premises":
        return ", ".join([*values["address"]["lines"], values["address"]["postcode"]])[:300]
    return str(values["name"])


def _report(form: Form) -> DraftReport:
    occurred, reported = form.moment("occurred_at"), form.moment("reported_at")
    if occurred is None and not form.error("occurred_at"):
        form.wrong("occurred_at", "Say when it happened")
    if not form.text("text"):
        form.wrong("text", "Write what happened")
    form.check()
    form.require()
    assert occurred is not None
    return DraftReport(
        occurred_at=occurred.isoformat(),
        reported_at=reported.isoformat() if reported else None,
        channel=form.text("channel") or None,
        text=form.text("text"),
    )


def _drop(found: list[Any], go: str) -> None:
    place = go.removeprefix("remove-")
    if place.isdigit() and int(place) < len(found):
        del found[int(place)]
