"""Tasks: requests to `cases`, and what it shows.

cases.add_task(AddTask) -> TaskView          command, users and clients
cases.list_tasks(ListTasks) -> TaskPage      query: of one case; at level task the caller's own
cases.get_task(GetTask) -> TaskView          query
cases.change_task(ChangeTask) -> TaskView    command
cases.my_tasks(MyTasks) -> TaskPage          query: open ones assigned to the caller or to a team of its

A task is offered; the assignee accepts or declines it, and ends an accepted one as done; whoever may
contribute to the tasks may cancel it while it is open. Done, declined and cancelled are final.
"""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import AccessReason, Name, TaskState

Detail = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
DueOn = Annotated[datetime.date, Field(ge=datetime.date(2000, 1, 1), le=datetime.date(2199, 12, 31))]


class Assignee(Request):
    """A user or a team: exactly one of the two."""

    user_id: Id | None = None
    team_id: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Assignee:
        if (self.user_id is None) == (self.team_id is None):
            raise PydanticCustomError("missing", "one of the two")
        return self


class TaskBody(Request):
    """The body of `POST …/tasks`."""

    title: Name
    detail: Detail | None = None
    assignee: Assignee
    due_on: DueOn


class TaskChanges(Request):
    """The body of `PATCH …/tasks/{tid}`. `reason` is required to decline or cancel."""

    state: TaskState | None = None
    reason: Reason | None = None
    outcome: Reason | None = None
    due_on: DueOn | None = None


class AddTask(Request):
    """Raises AssigneeWithoutAccess (/assignee), CaseClosed."""

    case_id: Id
    task: TaskBody


class ListTasks(PageRequest):
    """By due date, the earliest first."""

    case_id: Id
    access_reason: AccessReason | None = None
    state: TaskState | None = None


class GetTask(Request):
    case_id: Id
    task_id: Id
    access_reason: AccessReason | None = None


class ChangeTask(Request):
    """Raises IfMatchRequired, Stale, InvalidTransition, CaseClosed, Refused, Invalid (/reason)."""

    case_id: Id
    task_id: Id
    if_match: str | None = None
    changes: TaskChanges


class MyTasks(PageRequest):
    """Across cases: `state` or, without it, those offered and accepted; the earliest due first."""

    state: TaskState | None = None


class AssigneeView(Reply):
    """As it was asked for, and the name as it was then."""

    user_id: str | None = None
    team_id: str | None = None
    name: str


class TaskCase(Reply):
    """The case of a task, in a list across cases."""

    id: str
    reference: str


class TaskView(View):
    """One task. `may`: the states into which the caller may move it now."""

    id: str
    case_id: str
    case: TaskCase | None = None
    title: str
    detail: str | None = None
    assignee: AssigneeView
    due_on: datetime.date
    state: TaskState
    reason: str | None = None
    outcome: str | None = None
    created_by: Ref
    created_at: Moment
    updated_at: Moment
    may: tuple[TaskState, ...] = ()


class TaskPage(View):
    items: tuple[TaskView, ...]
    next: str | None
