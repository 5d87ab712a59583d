"""What `sharing` says and asks: who may see which case from now on, and which cases there are."""

from __future__ import annotations

from services.cases.domain.case import Case, Change, clock, touched
from services.cases.domain.tasks import Task, keeps_access, returned
from services.cases.handlers.casework import Casework
from services.cases.handlers.tasks import event_data
from services.cases.stores.tasks import TaskStore
from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.access import AccessList
from services.contracts.authority import (
    AppliedLists,
    ApplyAccessLists,
    CasesKnown,
    GetCasesKnown,
    StoredVersion,
)
from services.contracts.cases.about import AboutCase, AboutCases, GetAbout
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError
from services.contracts.records import Actor, Object, Record


class Authority(Casework):
    tasks: TaskStore

    @command(callers=("sharing",), expected_exceptions=ConcordatError)
    def apply_acl(self, request: ApplyAccessLists) -> AppliedLists:
        """Judge by these lists from now on, unless newer ones are there; what is there then.

        Open tasks of those whom a case no longer names go back to its owner, offered anew.
        """

        def body(session: Session, emit: Emit) -> AppliedLists:
            self.cases.keep_lists(request.lists, session)
            stored = self.cases.settled([one.case_id for one in request.lists], session)
            for case, settled in stored.values():
                if settled < case.acl.version:
                    self._settle(case, session, emit)
            return AppliedLists(
                items=tuple(
                    StoredVersion(case_id=case.id, term=case.acl.term, epoch=case.acl.epoch)
                    for case, _ in stored.values()
                )
            )

        return self.commands.run(request, AppliedLists, body)

    @rpc(callers=("sharing",), expected_exceptions=ConcordatError)
    def cases_known(self, request: GetCasesKnown) -> CasesKnown:
        """Those of the cases that were opened and not only registered."""
        return CasesKnown(case_ids=self.cases.known(request.case_ids))

    @rpc(callers=("sharing", "audit"), expected_exceptions=ConcordatError)
    def about_cases(self, request: GetAbout) -> AboutCases:
        """Use and marking of those of the cases that there are: nobody is shown a case by it."""
        found = self.cases.about(request.case_ids)
        return AboutCases(
            items=tuple(
                AboutCase(case_id=one, use=about.use, marking=about.marking) for one, about in found.items()
            )
        )

    def _settle(self, case: Case, session: Session, emit: Emit) -> None:
        """Each task that goes back is a version of its own, with its event."""
        back, now = list[Task](), clock()
        for task in self.tasks.open_of(case.id, session):
            if not keeps_access(task.assignee, case.acl):
                after = returned(task, case.acl.owner, now)
                # The transaction read it: nobody can have changed it since.
                self.tasks.replace(after, task.updated_at, session)
                back.append(after)
        change = Change(touched("tasks", now)) if back else None
        self.cases.settle(case, change, session, versions=len(back))
        for number, task in enumerate(back, case.version + 1):
            emit("task.offered", case.aggregate, number, event_data(task, None))
        if back:
            self._record_returned(case, back, case.acl)

    def _record_returned(self, case: Case, tasks: list[Task], acl: AccessList) -> None:
        serving, agency_id = context.current(), acl.owner.agency.id
        version = case.version + len(tasks)
        objects = [Object(type="case", id=case.id, agency_id=agency_id, sections=("tasks",), version=version)]
        objects += [
            Object(type="task", id=one.id, agency_id=one.created_agency_id, sections=("tasks",))
            for one in tasks
        ]
        self.records.keep(
            Record(
                id=new_event_id(),
                at=clock(),
                actor=Actor(kind="service", id="cases", agency_id=agency_id),
                action="task.give_back",
                operation="alteration",
                objects=tuple(objects),
                use=case.template,
                outcome="done",
                request_id=new_event_id() if serving is None else serving.request_id,
            )
        )
