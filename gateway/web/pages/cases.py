"""My cases, my tasks, search, one case, and the reason for opening it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from gateway.web import times, words
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.live import pass_for
from gateway.web.page import FormPage, Gone, Outcome, Page, Shown, local
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.cases.cases import GetCase, ListCases, SearchCases
from services.contracts.cases.entries import ListEntries
from services.contracts.cases.tasks import GetTask, MyTasks
from services.contracts.errors import RoleRequired
from services.contracts.sharing.agencies import ListAgencies

READABLE = frozenset({"read", "contribute", "manage"})
_DONE = {
    "note": "Added.",
    "case": "The case is changed.",
    "subject": "The people and places are changed.",
    "task": "The task is given.",
    "entry": "The entry is changed.",
    "status": "The status is changed.",
    "made": "The case is open. Only you and the team that you named can see it.",
}
_CASE_PATH = re.compile(r"^/cases/([A-Za-z0-9_.-]{1,64})(?:/tasks/([A-Za-z0-9_.-]{1,64}))?")
_CASE_QUERY = re.compile(r"[?&]case=([A-Za-z0-9_.-]{1,64})")


class Cases(Page):
    """`/cases?mine=owned|shared`, with filters by id and code only."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        tab = "shared" if visit.query("mine") == "shared" else "owned"
        chosen = {name: visit.query(name) for name in ("status", "template", "agency_id")}
        given = {name: value for name, value in chosen.items() if value}
        request = asked(ListCases, mine=tab, cursor=visit.query("cursor") or None, **given)
        asks = [visit.ask("cases", "list_cases", request)]
        if tab == "shared":
            asks.append(visit.ask("sharing", "list_agencies", ListAgencies(limit=100)))
        found, *agencies = await visit.together(*asks)
        filters: list[tuple[str, str, list[tuple[str, str]]]] = [
            ("status", "Status", words.choices("status")),
            ("template", "Kind", words.choices("template")),
        ]
        if agencies:
            named = [(one["id"], one["name"]) for one in agencies[0]["items"]]
            filters.append(("agency_id", "Owner's agency", named))
        return Shown(
            "cases/list.html",
            {
                "section": "cases",
                "tab": tab,
                "items": found["items"],
                "next": found["next"],
                "url": f"/cases?{urlencode({'mine': tab, **given})}",
                "filters": filters,
                "chosen": chosen,
                "filtered": bool(given or visit.query("cursor")),
                "live": pass_for(visit, None),
                "done": _DONE.get(visit.query("done")),
            },
        )


class Search(FormPage):
    """`/cases/search`: by POST, because what is searched for is personal and must not stand in a URL."""

    fields = (
        Field(
            "text",
            "Words of the title or summary, or a reference",
            missing="Enter what to search for",
            limit=200,
        ),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        if not form.sent:
            await visit.ask("cases", "list_cases", ListCases(limit=1))
        return Shown("cases/found.html", {"section": "cases", "form": form, "items": None, "next": None})

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        wanted = {
            "text": form.text("text"),
            **({"cursor": form.text("cursor")} if form.has("cursor") else {}),
        }
        found = await visit.ask("cases", "search_cases", form.request(SearchCases, wanted))
        return Shown(
            "cases/found.html",
            {"section": "cases", "form": form, "items": found["items"], "next": found["next"]},
        )


class Tasks(Page):
    """`/tasks`: mine, across cases."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        state = visit.query("state")
        given = {"state": state} if state else {}
        found = await visit.ask(
            "cases", "my_tasks", asked(MyTasks, cursor=visit.query("cursor") or None, **given)
        )
        return Shown(
            "cases/tasks.html",
            {
                "section": "tasks",
                "tab": "tasks",
                "items": found["items"],
                "next": found["next"],
                "state": state,
                "today": times.today().isoformat(),
                "live": pass_for(visit, None),
                "done": None,
            },
        )


class Case(Page):
    """`/cases/{case_id}`: everything of it that the visitor may see, in one call."""

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        case_id = ids["case_id"]
        chosen = {"type": visit.query("type"), "agency_id": visit.query("agency_id")}
        given = {name: value for name, value in chosen.items() if value}
        cursor = visit.query("cursor") or None
        narrowed = bool(given or cursor)
        request = asked(GetCase, case_id=case_id, include=("tasks",) if narrowed else ("entries", "tasks"))
        if narrowed:
            # The case first: it asks for the reason, and says whether there is a timeline to filter.
            case = await visit.ask("cases", "get_case", request)
            if "timeline" in case["my_access"]["sections"] or case["my_access"]["via"] == "owner":
                entries = asked(ListEntries, case_id=case_id, cursor=cursor, **given)
                case["entries"] = await visit.ask("cases", "list_entries", entries)
        else:
            case = await visit.ask("cases", "get_case", request)
        return Shown("cases/case.html", _context(visit, case, chosen, given))


def _context(visit: Visit, case: Body, chosen: dict[str, str], given: dict[str, str]) -> Body:
    access = case["my_access"]
    known = access["level"] in READABLE
    entries = case.get("entries")
    writers = {one["agency"]["id"]: one["agency"]["name"] for one in entries["items"]} if entries else {}
    if chosen["agency_id"]:
        writers.setdefault(chosen["agency_id"], "The chosen agency")
    path = f"/cases/{case['id']}"
    return {
        "section": "cases",
        "case": case,
        "access": access,
        "may": frozenset(access["may"]),
        "known": known,
        # Named by no share that there is to look at: by an offer of the case.
        "offered": access["level"] == "know" and "share_id" not in access,
        "open": case.get("status") != "closed",
        "entries": entries,
        "tasks": case.get("tasks"),
        "names": {one["subject"]["id"]: one["subject"]["name"] for one in case.get("subjects", ())},
        "agencies": sorted(writers.items(), key=lambda pair: pair[1]),
        "chosen": chosen,
        "url": f"{path}?{urlencode(given)}" if given else path,
        "note": Form(()),
        "today": times.today().isoformat(),
        "marking": case.get("marking", "official"),
        "live": pass_for(visit, case["id"]),
        "done": _DONE.get(visit.query("done")),
    }


class Reason(Page):
    """`/reasons`: why somebody opens another agency's case, asked once a session; then on to the page."""

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = Form((), visit.typed)
        target, reason = local(form.text("next")), form.text("reason")
        if reason not in words.WORDS["reason"]:
            context: dict[str, Any] = {"next": target, "missing": "Choose a reason", "form": None}
            return Shown("cases/reason.html", context, 422)
        found = _CASE_PATH.match(target) or _CASE_QUERY.search(target)
        if found is not None:
            case_id = found[1]
            try:
                await visit.ask("cases", "get_case", asked(GetCase, case_id=case_id, access_reason=reason))
            except RoleRequired:
                task_id = found[2] if found.re is _CASE_PATH else None
                if task_id is None:
                    raise
                request = asked(GetTask, case_id=case_id, task_id=task_id, access_reason=reason)
                await visit.ask("cases", "get_task", request)
        return Gone(target)
