"""Where tasks are kept.

tasks  {_id, case_id, title, detail, assignee (index key), assigned {name, agency_id, keys}, due_on
        "YYYY-MM-DD", state, open, created_by {id, name}, created_agency_id, created_at, updated_at, reason,
        outcome}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from services.cases.domain.tasks import OPEN, AssignedTo, Task
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.paging import Ref
from services.contracts.vocabulary import TaskState

_ORDER = [("due_on", ASCENDING), ("_id", ASCENDING)]


class TaskStore:
    """Tasks in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["tasks"]

    def insert(self, task: Task, session: Session) -> None:
        self._rows.insert_one(_row(task), session=session)

    def replace(self, task: Task, before: datetime, session: Session) -> bool:
        """Put `task` in the place of the one last changed at `before`; False if that is not there."""
        done = self._rows.replace_one({"_id": task.id, "updated_at": before}, _row(task), session=session)
        return done.matched_count == 1

    def find(self, case_id: str, task_id: str) -> Task | None:
        with in_time():
            row = self._rows.find_one({"_id": task_id, "case_id": case_id})
        return None if row is None else _task(row)

    def listed(
        self,
        case_id: str,
        assignees: Sequence[str] | None,
        state: TaskState | None,
        after: tuple[str, str] | None,
        limit: int,
    ) -> list[Task]:
        """Of one case, the earliest due first; of these assignees, if they are given."""
        query: Document = {"case_id": case_id, **_after(after)}
        if assignees is not None:
            query["assignee"] = {"$in": list(assignees)}
        if state is not None:
            query["state"] = state
        return self._some(query, limit)

    def assigned(
        self, assignees: Sequence[str], states: Sequence[TaskState], after: tuple[str, str] | None, limit: int
    ) -> list[Task]:
        """Across cases, the earliest due first: one range of one index for each assignee and state."""
        query = {"assignee": {"$in": list(assignees)}, "state": {"$in": list(states)}, **_after(after)}
        return self._some(query, limit)

    def open_of(self, case_id: str, session: Session) -> list[Task]:
        return [_task(row) for row in self._rows.find({"case_id": case_id, "open": True}, session=session)]

    def next_due(self, case_id: str, session: Session) -> str | None:
        """The earliest date of an open task of the case, as it is in this transaction."""
        row = self._rows.find_one(
            {"case_id": case_id, "open": True}, {"due_on": True}, sort=_ORDER, session=session
        )
        return None if row is None else str(row["due_on"])

    def _some(self, query: Document, limit: int) -> list[Task]:
        with in_time():
            rows = self._rows.find(query).sort(_ORDER).limit(limit).batch_size(limit + 1)
            return [_task(row) for row in rows]


def _after(after: tuple[str, str] | None) -> Document:
    if after is None:
        return {}
    due_on, task_id = after
    # The bound is the index's; the rest tells those of one day apart.
    return {
        "due_on": {"$gte": due_on},
        "$or": [{"due_on": {"$gt": due_on}}, {"due_on": due_on, "_id": {"$gt": task_id}}],
    }


def _row(task: Task) -> Document:
    return {
        "_id": task.id,
        "case_id": task.case_id,
        "title": task.title,
        "detail": task.detail,
        "assignee": task.assignee.key,
        "assigned": {
            "name": task.assignee.name,
            "agency_id": task.assignee.agency_id,
            "keys": list(task.assignee.keys),
        },
        "due_on": task.due_on,
        "state": task.state,
        "open": task.state in OPEN,
        "created_by": task.created_by.model_dump(),
        "created_agency_id": task.created_agency_id,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "reason": task.reason,
        "outcome": task.outcome,
    }


def _task(row: Mapping[str, Any]) -> Task:
    assigned = row["assigned"]
    return Task(
        id=row["_id"],
        case_id=row["case_id"],
        title=row["title"],
        detail=row["detail"],
        assignee=AssignedTo(
            row["assignee"], assigned["name"], assigned["agency_id"], tuple(assigned["keys"])
        ),
        due_on=row["due_on"],
        state=row["state"],
        created_by=Ref(**row["created_by"]),
        created_agency_id=row["created_agency_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        reason=row["reason"],
        outcome=row["outcome"],
    )


def _make_indexes(database: Database[Document]) -> None:
    rows = database["tasks"]
    rows.create_index([("case_id", ASCENDING), *_ORDER, ("state", ASCENDING)], name="case")
    rows.create_index([("case_id", ASCENDING), ("open", ASCENDING), *_ORDER], name="open")
    rows.create_index([("assignee", ASCENDING), ("state", ASCENDING), *_ORDER], name="assignee")


STEPS = (Step("tasks_indexes", _make_indexes),)
