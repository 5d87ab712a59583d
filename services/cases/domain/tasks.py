"""Tasks: who is asked to do what until when, and who may move them where. Pure.

offered ──accept──▶ accepted ──done──▶ done          by the assignee
   │ └────decline──▶ declined                         by the assignee, with a reason
   └──cancel──▶ cancelled ◀──cancel── accepted        by whoever may contribute, with a reason
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from services.cases.domain.case import Case, after
from services.cases.domain.showing import reads, tagged
from services.contracts.access import AccessList, Owner, Standing, has_role, keys_of
from services.contracts.authority import Principal
from services.contracts.caller import Caller
from services.contracts.cases.tasks import AssigneeView, TaskBody, TaskCase, TaskChanges, TaskView
from services.contracts.errors import FieldError, Invalid, InvalidTransition, LevelTooLow, Refused
from services.contracts.paging import Ref
from services.contracts.permissions import PERMITS
from services.contracts.vocabulary import EventName, TaskState

OPEN: tuple[TaskState, ...] = ("offered", "accepted")
Who = Literal["assignee", "contributor"]
MOVES: Mapping[tuple[TaskState, TaskState], Who] = {
    ("offered", "accepted"): "assignee",
    ("offered", "declined"): "assignee",
    ("accepted", "done"): "assignee",
    ("offered", "cancelled"): "contributor",
    ("accepted", "cancelled"): "contributor",
}
_WITH_REASON: tuple[TaskState, ...] = ("declined", "cancelled")
EVENTS: Mapping[TaskState, EventName] = {
    "offered": "task.offered",
    "accepted": "task.accepted",
    "declined": "task.declined",
    "done": "task.done",
    "cancelled": "task.cancelled",
}


@dataclass(frozen=True, slots=True)
class AssignedTo:
    """Whom a task is for. `key` as `Caller` keys are (`u:`, `t:`); `keys` are all under which a list may have
    named them when the task was given: their own and their teams'."""

    key: str
    name: str
    agency_id: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    case_id: str
    title: str
    detail: str | None
    assignee: AssignedTo
    due_on: str
    state: TaskState
    created_by: Ref
    created_agency_id: str
    created_at: datetime
    updated_at: datetime
    reason: str | None = None
    outcome: str | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def texts(self) -> tuple[str | None, ...]:
        """What may be long."""
        return self.title, self.detail, self.reason, self.outcome


def assigned_to(principal: Principal) -> AssignedTo:
    if principal.kind == "team":
        keys: tuple[str, ...] = (f"t:{principal.id}",)
    else:
        keys = (f"u:{principal.id}", *(f"t:{team}" for team in principal.team_ids))
    return AssignedTo(keys[0], principal.name, principal.agency.id, keys)


def assigned_to_owner(owner: Owner) -> AssignedTo:
    key = f"u:{owner.user.id}"
    return AssignedTo(key, owner.user.name, owner.agency.id, (key,))


def new_task(
    task_id: str, case: Case, body: TaskBody, assignee: AssignedTo, caller: Caller, *, now: datetime
) -> Task:
    return Task(
        id=task_id,
        case_id=case.id,
        title=body.title,
        detail=body.detail,
        assignee=assignee,
        due_on=body.due_on.isoformat(),
        state="offered",
        created_by=Ref(id=caller.id, name=caller.name or caller.id),
        created_agency_id=caller.agency_id,
        created_at=now,
        updated_at=now,
    )


def is_mine(task: Task, caller: Caller) -> bool:
    """Assigned to the caller or to a team of its."""
    return task.assignee.key in keys_of(caller)


def sees_all(caller: Caller, standing: Standing) -> bool:
    """Every task of the case; else its own alone. Light participants see their own at any level."""
    return reads(standing, "tasks") and has_role(caller, PERMITS["cases"]["get_case"])


def may_contribute(caller: Caller, standing: Standing) -> bool:
    return has_role(caller, PERMITS["cases"]["add_task"]) and standing.reaches("contribute", "tasks")


def moves(task: Task, caller: Caller, standing: Standing) -> tuple[TaskState, ...]:
    """Where the caller may move it now."""
    mine, contributor = is_mine(task, caller), may_contribute(caller, standing)
    return tuple(
        to
        for (state, to), who in MOVES.items()
        if state == task.state and (mine if who == "assignee" else contributor)
    )


def changed(task: Task, changes: TaskChanges, caller: Caller, standing: Standing, now: datetime) -> Task:
    """Raises InvalidTransition, Refused (not the assignee), LevelTooLow, Invalid (/reason, /due_on)."""
    to = changes.state
    if to is not None:
        _check_move(task, to, changes, caller, standing)
        task = replace(task, state=to)
    if "due_on" in changes.model_fields_set:
        task = _due(task, changes, caller, standing)
    # With a state only: words alone change nothing that anybody is told of.
    if to is None and "due_on" not in changes.model_fields_set:
        raise Invalid(errors=(FieldError("/state", "required", "This field is required."),))
    return replace(
        task,
        reason=changes.reason or task.reason,
        outcome=changes.outcome or task.outcome,
        updated_at=after(now, task.updated_at),
    )


def returned(task: Task, owner: Owner, now: datetime) -> Task:
    """To the owner, offered anew: its assignee can no longer see it."""
    return replace(
        task, assignee=assigned_to_owner(owner), state="offered", updated_at=after(now, task.updated_at)
    )


def keeps_access(assignee: AssignedTo, acl: AccessList) -> bool:
    """Whether the list still names the assignee at a level at which it sees its own tasks.

    By what was known when the task was given: who joined a team later is named by it only after being asked
    anew. Dates are not looked at: a share that ends is taken off the list by `sharing`.
    """
    if assignee.key == f"u:{acl.owner.user.id}":
        return True
    for share in acl.shares:
        if share.agency_id != assignee.agency_id or share.level == "know":
            continue
        named = {*(f"u:{one}" for one in share.user_ids), *(f"t:{one}" for one in share.team_ids)}
        if not named.isdisjoint(assignee.keys):
            return True
    return False


def task_view(task: Task, caller: Caller, standing: Standing, *, case: Case | None = None) -> TaskView:
    """`case` is told in lists across cases."""
    fields: dict[str, Any] = {
        "id": task.id,
        "case_id": task.case_id,
        "title": task.title,
        "assignee": _assignee(task.assignee),
        "due_on": date.fromisoformat(task.due_on),
        "state": task.state,
        "created_by": task.created_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "may": moves(task, caller, standing),
    }
    optional = {"detail": task.detail, "reason": task.reason, "outcome": task.outcome}
    fields |= {name: value for name, value in optional.items() if value is not None}
    if case is not None:
        fields["case"] = TaskCase(id=case.id, reference=case.reference)
    return tagged(TaskView(**fields))


def _check_move(task: Task, to: TaskState, changes: TaskChanges, caller: Caller, standing: Standing) -> None:
    who = MOVES.get((task.state, to))
    if who is None:
        raise InvalidTransition
    if who == "assignee" and not is_mine(task, caller):
        raise Refused(cause="not the assignee")
    if who == "contributor" and not may_contribute(caller, standing):
        raise LevelTooLow
    if to in _WITH_REASON and changes.reason is None:
        raise Invalid(errors=(FieldError("/reason", "required", "This field is required."),))


def _due(task: Task, changes: TaskChanges, caller: Caller, standing: Standing) -> Task:
    if changes.due_on is None:
        raise Invalid(errors=(FieldError("/due_on", "wrong_type", "This has the wrong type."),))
    if not may_contribute(caller, standing):
        raise LevelTooLow
    if not task.open:
        raise InvalidTransition
    return replace(task, due_on=changes.due_on.isoformat())


def _assignee(assignee: AssignedTo) -> AssigneeView:
    kind, _, found = assignee.key.partition(":")
    if kind == "t":
        return AssigneeView(team_id=found, name=assignee.name)
    return AssigneeView(user_id=found, name=assignee.name)
