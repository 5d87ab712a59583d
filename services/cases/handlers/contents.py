"""What is in a case, as pages of its entries and tasks: for their lists and for the page of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from services.cases.domain import cursors
from services.cases.domain.case import Case
from services.cases.domain.entries import Entry, entry_view
from services.cases.domain.fitting import fitting
from services.cases.domain.recording import thing
from services.cases.domain.showing import reads
from services.cases.domain.tasks import Task, sees_all, task_view
from services.cases.handlers.casework import Casework, Opened
from services.cases.stores.entries import EntryStore
from services.cases.stores.tasks import TaskStore
from services.contracts.access import keys_of
from services.contracts.caller import Caller
from services.contracts.cases.entries import EntryPage, EntryView, ListEntries
from services.contracts.cases.tasks import ListTasks, TaskPage
from services.contracts.records import Object


class Contents(Casework):
    entries: EntryStore
    tasks: TaskStore

    def entries_of(
        self, opened: Opened, caller: Caller, request: ListEntries
    ) -> tuple[list[Entry], str | None]:
        """The page, and where it goes on; nothing to whom the timeline is not granted."""
        if not reads(opened.standing, "timeline"):
            return [], None
        found = self.entries.listed(
            opened.case.id,
            caller.agency_id,
            _entry_place(request.cursor),
            request.limit + 1,
            entry_type=request.type,
            author_agency_id=request.agency_id,
        )
        limit = min(request.limit, fitting([one.body for one in found]))
        page = found[:limit]
        if len(found) <= limit:
            return page, None
        return page, cursors.written(page[-1].body["occurred_at"].isoformat(), page[-1].id)

    def tasks_of(self, opened: Opened, caller: Caller, request: ListTasks) -> tuple[list[Task], str | None]:
        """The page, and where it goes on; only its own to whom not all are granted."""
        found = self.tasks.listed(
            opened.case.id,
            None if sees_all(caller, opened.standing) else keys_of(caller),
            request.state,
            None if request.cursor is None else task_place(request.cursor),
            request.limit + 1,
        )
        limit = min(request.limit, fitting([one.texts for one in found]))
        page = found[:limit]
        more = len(found) > limit
        return page, cursors.written(page[-1].due_on, page[-1].id) if more else None

    def contents(
        self, opened: Opened, caller: Caller, include: Sequence[str]
    ) -> dict[str, EntryPage | TaskPage]:
        """The first pages of what is asked for."""
        case, standing, pages = opened.case, opened.standing, dict[str, EntryPage | TaskPage]()
        if "entries" in include:
            entries, after = self.entries_of(opened, caller, ListEntries(case_id=case.id))
            items = tuple(entry_view(one, case, caller, full=False) for one in entries)
            pages["entries"] = EntryPage(items=items, next=after)
        if "tasks" in include:
            reaches = standing.reaches("task")
            tasks, behind = (
                self.tasks_of(opened, caller, ListTasks(case_id=case.id)) if reaches else ([], None)
            )
            shown = tuple(task_view(one, caller, standing) for one in tasks)
            pages["tasks"] = TaskPage(items=shown, next=behind)
        return pages


def objects_in(case: Case, pages: Mapping[str, EntryPage | TaskPage]) -> Iterator[Object]:
    """What the log is told of the pages."""
    for page in pages.values():
        for one in page.items:
            if isinstance(one, EntryView):
                yield thing("entry", one.id, one.agency.id, "timeline")
            else:
                yield thing("task", one.id, case.acl.owner.agency.id, "tasks")


def _entry_place(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    at, entry_id = cursors.read(cursor, 2)
    return cursors.moment(at), entry_id


def task_place(cursor: str) -> tuple[str, str]:
    due_on, task_id = cursors.read(cursor, 2)
    return due_on, task_id
