"""From a record to what its reader is shown. Names come from `sharing`, one look-up a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from services.contracts.audit import Consultation, EntryObject, EntryView, OwnConsultation
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.paging import Ref
from services.contracts.records import Actor, How, Object, Operation, Record

Names = Mapping[str, str]
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def ids_of(records: Iterable[Record]) -> list[str]:
    """Everything in these records that has a name, each once."""
    found: dict[str, None] = {}
    for record in records:
        for one in (record.actor.id, record.actor.accountable_id, record.actor.agency_id):
            if one is not None and askable(one):
                found[one] = None
    return list(found)


def askable(one: str) -> bool:
    """It has the form of an id, so that others can be asked about it. A record names things as it likes."""
    return _ID.fullmatch(one) is not None


def entry_view(index: int, record: Record, names: Names) -> EntryView:
    """`record`: as far as its reader may know of it."""
    return EntryView(
        id=record.id,
        index=index,
        at=record.at,
        actor=_ref(record.actor.id, names),
        agency=_ref(record.actor.agency_id, names),
        action=record.action,
        objects=_objects(record.objects),
        outcome=record.outcome,
        request_id=record.request_id,
        **_accountable(record, names),
        **_present(use=record.use, reason=record.reason),
    )


def consultation(record: Record, case_id: str, names: Names) -> Consultation:
    """One look at a case."""
    sections = [name for item in record.objects if item.id == case_id for name in item.sections]
    return Consultation(**_look(record, sections, names))


def own_consultation(record: Record, names: Names) -> OwnConsultation:
    """One look of the reader's own."""
    sections = [name for item in record.objects for name in item.sections]
    return OwnConsultation(
        action=record.action, objects=_objects(record.objects), **_look(record, sections, names)
    )


def read_of_log(
    caller: Caller,
    entry_id: str,
    now: datetime,
    objects: Iterable[Object],
    *,
    how: How = "listed",
    action: str = "log.read",
    refusal: str | None = None,
) -> Record:
    """The record of a look at the log itself. What it shows is named as parts of the log, not as cases: it
    holds nothing of theirs."""
    return Record(
        id=entry_id,
        at=now,
        actor=Actor(
            kind=caller.kind,
            id=caller.id,
            agency_id=caller.agency_id,
            accountable_id=caller.accountable_id,
        ),
        action=action,
        operation="consultation",
        how=how,
        objects=tuple(objects),
        outcome="shown" if refusal is None else "refused",
        code=refusal,
        request_id=caller.request_id,
    )


def acting(
    caller: Caller, action: str, operation: Operation, now: datetime, objects: Iterable[Object]
) -> Record:
    """The record of something that audit itself is about to do."""
    return Record(
        id=new_event_id(),
        at=now,
        actor=Actor(
            kind=caller.kind,
            id=caller.id,
            agency_id=caller.agency_id,
            accountable_id=caller.accountable_id,
        ),
        action=action,
        operation=operation,
        objects=tuple(objects),
        outcome="done",
        request_id=caller.request_id,
    )


def _look(record: Record, sections: Iterable[str], names: Names) -> dict[str, Any]:
    return {
        "entry_id": record.id,
        "at": record.at,
        "actor": _ref(record.actor.id, names),
        "agency": _ref(record.actor.agency_id, names),
        "how": cast(How, record.how),
        "sections": tuple(dict.fromkeys(sections)),
        "outcome": "refused" if record.outcome == "refused" else "shown",
        **_accountable(record, names),
        **_present(reason=record.reason),
    }


def _accountable(record: Record, names: Names) -> dict[str, Any]:
    one = record.actor.accountable_id
    return {} if one is None else {"accountable": _ref(one, names)}


def _present(**fields: str | None) -> dict[str, Any]:
    """What is not there is not named in the answer."""
    return {name: value for name, value in fields.items() if value is not None}


def _ref(one: str, names: Names) -> Ref:
    return Ref(id=one, name=names.get(one, one))


def _objects(items: Iterable[Object]) -> tuple[EntryObject, ...]:
    return tuple(EntryObject(type=item.type, id=item.id, sections=item.sections) for item in items)
