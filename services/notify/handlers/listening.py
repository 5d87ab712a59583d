"""Taking in what happened: one item for each event, addressed to those who can know of the case now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from services.chassis import context
from services.chassis.events import subscribe_together
from services.chassis.mongo import Session
from services.contracts.access import AccessList
from services.contracts.alerts import ACCESS_ALERT, ACCESS_REMINDER
from services.contracts.authority import AccessLists, CaseEvent, GetAccessLists
from services.contracts.envelope import Event, new_event_id
from services.notify.domain.items import alert_of, item_of, reminder_of
from services.notify.handlers.parts import Parts

Method = TypeVar("Method", bound=Callable[..., Any])

ASK_SECONDS = 1.5
"""For the access lists: the events' transaction is open meanwhile."""

OF_CASES = (
    "case.created",
    "case.updated",
    "case.closed",
    "case.reopened",
    "entry.added",
    "entry.revised",
    "entry.withdrawn",
    "task.offered",
    "task.accepted",
    "task.declined",
    "task.done",
    "task.cancelled",
)
OF_SHARING = ("case.transferred", "case.shared", "share.changed", "share.revoked")


def _each(source: str, event_types: Iterable[str]) -> Callable[[Method], Method]:
    def mark(method: Method) -> Method:
        for event_type in event_types:
            method = subscribe_together(source, event_type)(method)
        return method

    return mark


class Listening(Parts):
    """Each handler runs in the transaction of its events' positions."""

    @_each("cases", OF_CASES)
    def case_changed(self, events: Sequence[Event], session: Session) -> None:
        """Something in cases changed."""
        self._take_in(events, session)

    @_each("sharing", OF_SHARING)
    def access_changed(self, events: Sequence[Event], session: Session) -> None:
        """Who may see cases changed. Whoever lost access is not on their lists any more."""
        self._take_in(events, session)

    @subscribe_together("sharing", ACCESS_ALERT)
    def attention_called(self, events: Sequence[Event], session: Session) -> None:
        """Somebody has to look at how a case is used. It goes to people alone: no subscription has it."""
        self.items.add([alert_of(event, new_event_id()) for event in events], session)

    @subscribe_together("sharing", ACCESS_REMINDER)
    def reminded(self, events: Sequence[Event], session: Session) -> None:
        """Something ends or falls due that is about no case. It goes to the inboxes alone."""
        self.items.add([reminder_of(event, new_event_id()) for event in events], session)

    def _take_in(self, events: Sequence[Event], session: Session) -> None:
        told = [(event, event.read(CaseEvent).case_id) for event in events]
        lists = self._access({case_id for _, case_id in told})
        items = [item_of(event, lists.get(case_id), new_event_id()) for event, case_id in told]
        self.items.add(items, session)
        for item in items:
            if not item.client_ids:
                continue
            wanted = self.subscriptions.wanting(item.client_ids, item.type, session)
            if wanted:
                self.deliveries.add(item, wanted, session)

    def _access(self, case_ids: Collection[str]) -> dict[str, AccessList]:
        serving = context.current()
        assert serving is not None
        with context.use(serving.within(ASK_SECONDS)):
            told: AccessLists = self.sharing.call(
                "access_lists", GetAccessLists(case_ids=tuple(case_ids)), reply=AccessLists
            )
        return {one.case_id: one for one in told.items}
