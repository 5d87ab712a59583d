"""Taking in what happened: one item for each event, addressed to those who can know of the case now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from services.chassis import context
from services.chassis.events import subscribe
from services.chassis.mongo import Session
from services.contracts.access import AccessList
from services.contracts.authority import AccessLists, CaseEvent, GetAccessLists
from services.contracts.envelope import Event, new_event_id
from services.notify.domain.items import item_of
from services.notify.handlers.parts import Parts

Method = TypeVar("Method", bound=Callable[..., Any])

ASK_SECONDS = 1.5
"""For the access list: the event's transaction is open meanwhile."""

OF_CASES = (
    "case.created",
    "case.updated",
    "case.closed",
    "case.reopened",
    "case.transferred",
    "entry.added",
    "entry.revised",
    "entry.withdrawn",
    "task.offered",
    "task.accepted",
    "task.declined",
    "task.done",
    "task.cancelled",
)
OF_SHARING = ("case.shared", "share.changed", "share.revoked")


def _each(source: str, event_types: Iterable[str]) -> Callable[[Method], Method]:
    def mark(method: Method) -> Method:
        for event_type in event_types:
            method = subscribe(source, event_type)(method)
        return method

    return mark


class Listening(Parts):
    """Each handler runs in the transaction of its event's position."""

    @_each("cases", OF_CASES)
    def case_changed(self, event: Event, session: Session) -> None:
        """Something in a case changed."""
        self._take_in(event, session)

    @_each("sharing", OF_SHARING)
    def access_changed(self, event: Event, session: Session) -> None:
        """Who may see a case changed. Whoever lost access is not on its list any more."""
        self._take_in(event, session)

    def _take_in(self, event: Event, session: Session) -> None:
        item = item_of(event, self._access(event.read(CaseEvent).case_id), new_event_id())
        self.items.add(item, session)
        if item.client_ids:
            wanted = self.subscriptions.wanting(item.client_ids, item.type, session)
            if wanted:
                self.deliveries.add(item, wanted, session)

    def _access(self, case_id: str) -> AccessList | None:
        serving = context.current()
        assert serving is not None
        with context.use(replace(serving, deadline=serving.deadline.within(ASK_SECONDS))):
            told: AccessLists = self.sharing.call(
                "access_lists", GetAccessLists(case_ids=(case_id,)), reply=AccessLists
            )
        return told.items[0] if told.items else None
