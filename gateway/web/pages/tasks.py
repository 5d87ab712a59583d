"""Tasks of a case: give one, accept or decline it, end it."""

from __future__ import annotations

from typing import Any

from gateway.web import times
from gateway.web.forms.fields import Field
from gateway.web.forms.form import Form
from gateway.web.marking import marked
from gateway.web.page import FormPage, Gone, Outcome, Shown
from gateway.web.requests import asked
from gateway.web.visit import Body, Visit
from services.contracts.cases.cases import GetCase
from services.contracts.cases.tasks import AddTask, ChangeTask, GetTask, TaskBody, TaskChanges
from services.contracts.sharing.shares import ListAccess, ListShares

_ACTS = {
    "accepted": "Accept the task",
    "done": "Mark it as done",
    "declined": "Decline the task",
    "cancelled": "Cancel the task",
}


class NewTask(FormPage):
    """`/cases/{case_id}/tasks/new`. Only those who have access can be given one: a task grants none."""

    fields = (
        Field("title", "What is to be done", missing="Say what is to be done", limit=120),
        Field("detail", "Details", "area", limit=10_000, rows=4, hint="Leave it empty if there are none"),
        Field("assignee", "Who is to do it", "select", missing="Choose who is to do it"),
        Field("due_on", "Due on", "day", missing="Say when it is due"),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        case_id = ids["case_id"]
        case, shares = await visit.together(
            visit.ask("cases", "get_case", asked(GetCase, case_id=case_id)),
            visit.ask("sharing", "list_shares", asked(ListShares, case_id=case_id, limit=100)),
        )
        found = _from_shares(case, shares)
        if case["my_access"]["via"] == "owner":
            access = await visit.ask("sharing", "list_access", asked(ListAccess, case_id=case_id, limit=100))
            for item in access["items"]:
                who = item["who"]
                if who["kind"] == "user" and item["now"] == "open" and item["level"] != "know":
                    found.setdefault(f"user:{who['id']}", f"{who['name']}, {who['agency']['name']}")
        offered = [("", "Choose"), *sorted(found.items(), key=lambda pair: pair[1])]
        return Shown(
            "cases/task_new.html",
            {
                "section": "cases",
                "form": form,
                "case": case,
                "offered": offered,
                "marking": case.get("marking", "official"),
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        kind, _, who = form.text("assignee").partition(":")
        body: dict[str, Any] = {
            "title": form.text("title"),
            "assignee": {f"{kind}_id": who},
            "due_on": form.day("due_on"),
        }
        if detail := form.text("detail"):
            body["detail"] = detail
        request = asked(AddTask, case_id=ids["case_id"], task=form.request(TaskBody, body))
        await visit.tell("cases", "add_task", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}?done=task")


class OneTask(FormPage):
    """`/cases/{case_id}/tasks/{task_id}`: what it says, and what the visitor may do with it now."""

    fields = (
        Field("state", "What do you want to do?", "choice", missing="Choose what to do"),
        Field("reason", "Reason", "area", limit=2000, rows=3, hint="Needed to decline or cancel"),
        Field("outcome", "Outcome", "area", limit=2000, rows=3, hint="What came of it, when it is done"),
    )

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        task, marking = await visit.together(
            visit.ask("cases", "get_task", asked(GetTask, **ids)), marked(visit, ids["case_id"])
        )
        form.fill({"etag": task.get("etag")})
        return Shown(
            "cases/task.html",
            {
                "section": "tasks",
                "form": form,
                "task": task,
                "case_id": ids["case_id"],
                "acts": [(state, _ACTS[state]) for state in _ACTS if state in task.get("may", ())],
                "today": times.today().isoformat(),
                "done": "The task is changed." if visit.query("done") else None,
                **marking,
                "caseworker": visit.person is not None and visit.person.caseworker,
            },
        )

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        state = form.text("state")
        changes: dict[str, Any] = {"state": state}
        if state in ("declined", "cancelled") and not form.text("reason"):
            verb = "decline" if state == "declined" else "cancel"
            form.wrong("reason", f"Say why you {verb} it")
        if form.text("reason"):
            changes["reason"] = form.text("reason")
        if form.text("outcome"):
            changes["outcome"] = form.text("outcome")
        body = form.request(TaskChanges, changes)
        request = asked(ChangeTask, **ids, if_match=form.etag, changes=body)
        await visit.tell("cases", "change_task", request, once=form.once)
        return Gone(f"/cases/{ids['case_id']}/tasks/{ids['task_id']}?done=1")


def _from_shares(case: Body, shares: Body) -> dict[str, str]:
    """The owner, and everybody whom the shares name that the visitor may see."""
    owner = case["owner"]
    found = {f"user:{owner['user']['id']}": f"{owner['user']['name']}, {owner['agency']['name']}"}
    for share in shares["items"]:
        if share["state"] != "active" or share["level"] == "know":
            continue
        for who in share["who"]:
            if who["kind"] in ("user", "team") and who["available"]:
                kind = " (team)" if who["kind"] == "team" else ""
                found[f"{who['kind']}:{who['id']}"] = f"{who['name']}{kind}, {share['agency']['name']}"
    return found
