"""What is written into the log about grants, ownership and the directory: ids, sections, codes; no names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, How, Object, Operation, Outcome, Record
from services.contracts.views import Disclosed
from services.contracts.vocabulary import Section

PROMISE = timedelta(seconds=60)
"""By when what was recorded is in the log."""


def entry(
    caller: Caller,
    action: str,
    *,
    outcome: Outcome,
    objects: tuple[Object, ...] = (),
    operation: Operation = "administration",
    how: How | None = None,
    reason: str | None = None,
    code: str | None = None,
) -> Record:
    """One entry, made for this reply."""
    return Record(
        id=new_event_id(),
        at=datetime.now(UTC),
        actor=Actor(
            kind=caller.kind,
            id=caller.id,
            agency_id=caller.agency_id,
            accountable_id=caller.accountable_id,
        ),
        action=action,
        operation=operation,
        how=how,
        objects=objects,
        reason=reason,
        outcome=outcome,
        code=code,
        request_id=caller.request_id,
    )


def case_object(case_id: str, agency_id: str | None, sections: tuple[Section, ...] = ()) -> Object:
    """A case, as data of its owner's agency."""
    return Object(type="case", id=case_id, agency_id=agency_id, sections=sections)


def share_object(share_id: str, agency_id: str, sections: tuple[Section, ...] = ()) -> Object:
    """A share, as data of the agency that is given it: the log shows it whom it was given what."""
    return Object(type="share", id=share_id, agency_id=agency_id, sections=sections)


def person_object(kind: str, who: str, agency_id: str) -> Object:
    """Somebody whose access was looked into, as data of their agency."""
    return Object(type=kind, id=who, agency_id=agency_id)


def disclosed(record: Record) -> Disclosed:
    """What the reader is told of its entry."""
    return Disclosed(entry_id=record.id, by=record.at + PROMISE)
