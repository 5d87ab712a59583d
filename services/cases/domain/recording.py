"""What is told to the log of one reply or one change. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.cases.domain.case import Case, clock
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError
from services.contracts.permissions import PERMITS
from services.contracts.permissions.permit import Permit
from services.contracts.records import Actor, How, Object, Operation, Record
from services.contracts.views import Disclosed
from services.contracts.vocabulary import Section

IN_THE_LOG_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that may be asked for: the method, whose permit is asked, and what the log calls it.

    `section`: where on the case it acts. `reads`: opens something, so that a person from another agency has
    to say why.
    """

    method: str
    action: str
    operation: Operation = "consultation"
    how: How | None = "opened"
    section: Section | None = None
    reads: bool = True

    @property
    def permit(self) -> Permit:
        return PERMITS["cases"][self.method]


def reading(method: str, action: str, section: Section | None = None) -> Act:
    return Act(method, action, section=section)


def writing(method: str, action: str, operation: Operation, section: Section | None = None) -> Act:
    return Act(method, action, operation, None, section, reads=False)


def shown(
    act: Act, caller: Caller, objects: Iterable[Object], *, reason: str | None = None, use: str | None = None
) -> Record:
    """Data is about to leave."""
    return _record(act, caller, objects, outcome="shown", reason=reason, use=use)


def done(act: Act, caller: Caller, objects: Iterable[Object], *, use: str | None = None) -> Record:
    """A change is about to take effect."""
    return _record(act, caller, objects, outcome="done", use=use)


def refused(act: Act, caller: Caller, case_id: str, agency_id: str | None, problem: ConcordatError) -> Record:
    """Nothing leaves."""
    thing = Object(type="case", id=case_id, agency_id=agency_id)
    return _record(act, caller, (thing,), outcome="refused", code=problem.code)


def about(case: Case, sections: Iterable[str] = ()) -> Object:
    """The case, of the owner's agency, at its version."""
    return Object(
        type="case",
        id=case.id,
        agency_id=case.acl.owner.agency.id,
        sections=tuple(sections),
        version=case.version,
    )


def thing(kind: str, thing_id: str, agency_id: str, section: Section) -> Object:
    """An entry, a task or a subject in a case. `agency_id`: whose data it is."""
    return Object(type=kind, id=thing_id, agency_id=agency_id, sections=(section,))


def disclosed(record: Record) -> Disclosed:
    return Disclosed(entry_id=record.id, by=record.at + IN_THE_LOG_WITHIN)


def actor_of(caller: Caller) -> Actor:
    return Actor(
        kind=caller.kind, id=caller.id, agency_id=caller.agency_id, accountable_id=caller.accountable_id
    )


def _record(act: Act, caller: Caller, objects: Iterable[Object], **more: Any) -> Record:
    return Record(
        id=new_event_id(),
        at=clock(),
        actor=actor_of(caller),
        action=act.action,
        operation=act.operation,
        how=act.how,
        objects=tuple(objects),
        request_id=caller.request_id,
        **more,
    )
