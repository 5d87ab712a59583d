"""No log, no look: the record of what an answer is about to show or change, kept before it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.chassis.recording import Keeper
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, How, Object, Record
from services.contracts.views import Disclosed
from services.notify.domain.items import Item

IN_THE_LOG = timedelta(seconds=60)
"""By when an entry is in the log."""


def disclose(records: Keeper, caller: Caller, action: str, how: How, items: Sequence[Item]) -> Disclosed:
    """Record that these items go to the caller: one object for each case; what is about no case is
    none. Raises Unavailable."""
    record = Record(
        id=new_event_id(),
        at=datetime.now(UTC),
        actor=_actor(caller),
        action=action,
        operation="consultation",
        how=how,
        objects=tuple(_cases(items)),
        outcome="shown",
        request_id=caller.request_id,
    )
    records.keep(record)
    return Disclosed(entry_id=record.id, by=record.at + IN_THE_LOG)


def administered(records: Keeper, caller: Caller, action: str, subscription_id: str) -> None:
    """Record an administrative act. Raises Unavailable."""
    records.keep(
        Record(
            id=new_event_id(),
            at=datetime.now(UTC),
            actor=_actor(caller),
            action=action,
            operation="administration",
            objects=(Object(type="subscription", id=subscription_id, agency_id=caller.agency_id),),
            outcome="done",
            request_id=caller.request_id,
        )
    )


def _actor(caller: Caller) -> Actor:
    return Actor(
        kind=caller.kind, id=caller.id, agency_id=caller.agency_id, accountable_id=caller.accountable_id
    )


def _cases(items: Sequence[Item]) -> list[Object]:
    sections: dict[str, dict[str, None]] = {}
    owners: dict[str, str | None] = {}
    for item in items:
        if not item.of_a_case:
            continue
        seen = sections.setdefault(item.case_id, {})
        owners[item.case_id] = item.owner_agency_id
        if item.section:
            seen[item.section] = None
    return [
        Object(type="case", id=case_id, agency_id=owners[case_id], sections=tuple(seen))
        for case_id, seen in sections.items()
    ]
