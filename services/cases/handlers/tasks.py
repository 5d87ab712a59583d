"""Tasks: giving, reading, moving; and one's own across cases."""

from __future__ import annotations

from dataclasses import replace

from services.cases.domain import cursors, recording
from services.cases.domain.case import Case, Change, clock, touched
from services.cases.domain.fitting import fitting
from services.cases.domain.recording import Act, about, disclosed, done, reading, thing, writing
from services.cases.domain.statuses import check_open
from services.cases.domain.tasks import (
    EVENTS,
    OPEN,
    AssignedTo,
    Task,
    assigned_to,
    changed,
    is_mine,
    new_task,
    sees_all,
    task_view,
)
from services.cases.handlers.casework import Opened, Work, check_match, there
from services.cases.handlers.contents import Contents, task_place
from services.cases.stores.cases import Moved
from services.chassis.rpc import command, rpc
from services.contracts.access import Standing, decide, keys_of
from services.contracts.authority import CaseEvent, GetPrincipals, Principal, Principals
from services.contracts.caller import Caller
from services.contracts.cases.tasks import (
    AddTask,
    Assignee,
    ChangeTask,
    GetTask,
    ListTasks,
    MyTasks,
    TaskPage,
    TaskView,
)
from services.contracts.envelope import new_event_id
from services.contracts.errors import AssigneeWithoutAccess, ConcordatError, FieldError, NotVisible
from services.contracts.messages import Reply
from services.contracts.records import Object, Record
from services.contracts.vocabulary import EventName

ADD = writing("add_task", "task.add", "collection", "tasks")
CHANGE = writing("change_task", "task.change", "alteration")
LIST = reading("list_tasks", "task.list")
GET = reading("get_task", "task.read")
AGAIN = replace(GET, reads=False)
"""What a repeated command shows: its first was a writing, and asked for no reason."""
MINE = Act("my_tasks", "task.list_own", how="listed", reads=False)
_BATCHES = 20

Made = tuple[Task, Case, Record]


class TaskMade(Reply):
    """What a command on a task came to."""

    case_id: str
    task_id: str


class Tasks(Contents):
    @rpc(expected_exceptions=ConcordatError)
    def list_tasks(self, request: ListTasks, caller: Caller) -> TaskPage:
        """The tasks of one case, the earliest due first; the caller's own if not all are granted."""
        opened = self.open(request.case_id, caller, LIST, request.access_reason)
        opened, (page, after) = self.consistently(
            opened, caller, LIST, lambda opened: self.tasks_of(opened, caller, request)
        )
        objects = [about(opened.case, ("tasks",) if page else ()), *map(_object, page)]
        shown = self.show(LIST, caller, opened, objects)
        items = tuple(task_view(one, caller, opened.standing) for one in page)
        return TaskPage(items=items, next=after, disclosed=shown)

    @rpc(expected_exceptions=ConcordatError)
    def get_task(self, request: GetTask, caller: Caller) -> TaskView:
        """One task."""
        return self._shown_task(request, caller)

    @rpc(expected_exceptions=ConcordatError)
    def my_tasks(self, request: MyTasks, caller: Caller) -> TaskPage:
        """The caller's own and its teams', in the cases that it may see now; the earliest due first."""
        self.require_role(caller, MINE)
        self.prepare_lists(caller)
        states = OPEN if request.state is None else (request.state,)
        after = None if request.cursor is None else task_place(request.cursor)
        seen: list[tuple[Task, Case, Standing]] = []
        more = False
        for _ in range(_BATCHES):
            found = self.tasks.assigned(keys_of(caller), states, after, request.limit + 1)
            seen += self._with_cases(found, caller)
            more = len(seen) > request.limit
            if more or len(found) <= request.limit:
                break
            after = (found[-1].due_on, found[-1].id)
        limit = min(request.limit, fitting([task.texts for task, _, _ in seen]))
        page, more = seen[:limit], more or len(seen) > limit
        objects = [about(case, ("tasks",)) for case in {case.id: case for _, case, _ in page}.values()]
        objects += [_object(task) for task, _, _ in page]
        return TaskPage(
            items=tuple(task_view(task, caller, standing, case=case) for task, case, standing in page),
            next=cursors.written(page[-1][0].due_on, page[-1][0].id) if more else None,
            disclosed=self.tell(recording.shown(MINE, caller, objects)),
        )

    @command(expected_exceptions=ConcordatError)
    def add_task(self, request: AddTask, caller: Caller) -> TaskView:
        """Ask somebody who has access already to do something until a day."""
        made: list[Made] = []
        # Asked for once, before the transaction: it may not wait for another service.
        asked: list[Principals] = []

        def body(work: Work) -> TaskMade:
            case, now = work.case, clock()
            check_open(case)
            assignee = _with_access(asked[0], case, caller)
            task = new_task(new_event_id(), case, request.task, assignee, caller, now=now)
            self.tasks.insert(task, work.session)
            made.append(self._tell_task(ADD, "task.offered", task, 1, work))
            return TaskMade(case_id=case.id, task_id=task.id)

        self.open(request.case_id, caller, ADD)  # who may not know is told nothing of the assignee
        asked.append(self._principals(request.task.assignee))
        opened, told, mine = self.change(ADD, caller, request, TaskMade, body)
        return self._answer_task(opened, told, made[-1] if mine else None, caller)

    @command(expected_exceptions=ConcordatError)
    def change_task(self, request: ChangeTask, caller: Caller) -> TaskView:
        """Accept, decline, end, cancel a task, or give it another day."""
        made: list[Made] = []

        def body(work: Work) -> TaskMade:
            standing = work.opened.standing
            before = there(self.tasks.find(request.case_id, request.task_id))
            if not _visible(before, caller, standing):
                raise NotVisible
            check_open(work.case)  # after that: who sees their own tasks alone is not shown the status
            check_match(request.if_match, task_view(before, caller, standing).etag)
            after = changed(before, request.changes, caller, standing, clock())
            if not self.tasks.replace(after, before.updated_at, work.session):
                raise Moved
            ended = int(after.open) - int(before.open)
            event: EventName = "case.updated" if after.state == before.state else EVENTS[after.state]
            made.append(self._tell_task(CHANGE, event, after, ended, work))
            return TaskMade(case_id=before.case_id, task_id=before.id)

        opened, told, mine = self.change(CHANGE, caller, request, TaskMade, body)
        return self._answer_task(opened, told, made[-1] if mine else None, caller)

    def _tell_task(self, act: Act, event: EventName, task: Task, more_open: int, work: Work) -> Made:
        """The case's next version, its event and the record, after the task was written."""
        due = self.tasks.next_due(task.case_id, work.session)
        change = Change(
            {"next_due": due, **touched("tasks", task.updated_at)},
            {"tasks_open": more_open} if more_open else {},
        )
        case = self.cases.advance(work.case, change, work.session)
        work.emit(event, case.aggregate, case.version, event_data(task, work.caller))
        objects = [about(case, ("tasks",)), _object(task)]
        record = done(act, work.caller, objects, use=case.template)
        self.records.keep(record)
        return task, case, record

    def _answer_task(self, opened: Opened, told: TaskMade, made: Made | None, caller: Caller) -> TaskView:
        if made is None:
            return self._shown_task(GetTask(case_id=told.case_id, task_id=told.task_id), caller, AGAIN)
        task, case, record = made
        self.followed(opened.case, case, caller, opened.standing)
        return task_view(task, caller, opened.standing).model_copy(update={"disclosed": disclosed(record)})

    def _shown_task(self, request: GetTask, caller: Caller, act: Act = GET) -> TaskView:
        # The task first: the case document, which is judged, is read last.
        task = self.tasks.find(request.case_id, request.task_id)
        opened = self.open(request.case_id, caller, act, request.access_reason)
        if task is None or not _visible(task, caller, opened.standing):
            self.refuse_with(opened.case, caller, act, NotVisible())
        shown = self.show(act, caller, opened, [about(opened.case, ("tasks",)), _object(task)])
        return task_view(task, caller, opened.standing).model_copy(update={"disclosed": shown})

    def _principals(self, assignee: Assignee) -> Principals:
        ids = (assignee.user_id or assignee.team_id or "",)
        found: Principals = self.sharing.call("principals", GetPrincipals(ids=ids), reply=Principals)
        kind = "user" if assignee.user_id else "team"
        return found.model_copy(update={"items": tuple(one for one in found.items if one.kind == kind)})

    def _with_cases(self, tasks: list[Task], caller: Caller) -> list[tuple[Task, Case, Standing]]:
        """Those in cases in which the caller may see its own tasks now."""
        stored = self.cases.find_many({one.case_id for one in tasks})
        cases = {one.id: one for one in self.trusted(list(stored.values()), caller)}
        seen = []
        for task in tasks:
            case = cases.get(task.case_id)
            decision = None if case is None else self.decide(case, caller, GET)
            if case is not None and decision is not None and decision.allowed:
                seen.append((task, case, decision.require()))
        return seen


def event_data(task: Task, caller: Caller | None) -> CaseEvent:
    """What an event of this task says; `caller` None: nobody's act."""
    return CaseEvent(
        case_id=task.case_id,
        task_id=task.id,
        section="tasks",
        assignee=task.assignee.key,
        actor_id=None if caller is None else caller.id,
        agency_id=None if caller is None else caller.agency_id,
    )


def _visible(task: Task, caller: Caller, standing: Standing) -> bool:
    return sees_all(caller, standing) or is_mine(task, caller)


def _with_access(found: Principals, case: Case, caller: Caller) -> AssignedTo:
    """The assignee, which can see its own tasks in the case by itself. Raises AssigneeWithoutAccess."""
    for one in found.items:
        asking = _as_caller(one, found, caller)
        if one.active and decide(asking, case.acl, GET.permit).allowed:
            return assigned_to(one)
    raise AssigneeWithoutAccess(
        errors=(
            FieldError("/assignee", "assignee_without_access", "The assignee has no access to the case."),
        )
    )


def _as_caller(principal: Principal, found: Principals, asking: Caller) -> Caller:
    """As the access rule would see it asking now. A team is judged as some practitioner in it."""
    team = principal.kind == "team"
    return asking.model_copy(
        update={
            "kind": "user",
            "id": "" if team else principal.id,
            "agency_id": principal.agency.id,
            "team_ids": (principal.id,) if team else principal.team_ids,
            "roles": ("practitioner",) if team else principal.roles,
            "inactive_agencies": found.inactive_agencies,
            "inactive_protocols": found.inactive_protocols,
            "now": found.now,
        }
    )


def _object(task: Task) -> Object:
    return thing("task", task.id, task.created_agency_id, "tasks")
