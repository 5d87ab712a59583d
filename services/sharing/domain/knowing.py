"""May this principal be told of this now? What `notify` asks before each thing that it sends."""

from __future__ import annotations

from services.contracts.access import AccessList, keys_of, standing_of
from services.contracts.authority import Question
from services.contracts.caller import Caller
from services.sharing.domain.glass import reviews
from services.sharing.domain.known import Known


def may_know(question: Question, known: Known, caller: Caller, acl: AccessList) -> bool:
    """`caller` is `known`'s own. An own task may be told to whoever works on tasks and has level task."""
    if known.because is not None or known.kind == "team" or known.agency.id in question.withheld_from:
        return False
    standing = standing_of(caller, acl)
    if question.alert or standing is None:
        return question.alert and reviews(caller, acl)
    if question.assignee is not None and question.assignee in keys_of(caller):
        return known.works_on_tasks and standing.reaches("task")
    if not known.works_on_cases:
        return False
    if question.section is None:
        return standing.reaches(question.least)
    return standing.reaches("read", question.section)
