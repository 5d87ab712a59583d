"""The inbox: what others did that concerns the caller, as far as it may know of it now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.alerts import inbox_keys
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, NotVisible
from services.contracts.messages import Reply
from services.contracts.notify import (
    CountUnread,
    Inbox,
    InboxItem,
    InboxItemView,
    ListInbox,
    MarkItem,
    MarkRead,
    ReadMarked,
    Unread,
)
from services.notify.domain.items import Item
from services.notify.handlers.cursors import cursor_of, number_of
from services.notify.handlers.parts import Parts
from services.notify.handlers.recorded import disclose
from services.notify.knowing import known
from services.notify.stores.marks import Marks

COUNTED = 200
"""The newest so many are looked at for the number of unread ones."""
_AT_ONCE, _BATCHES = 101, 20
"""Items that are read and asked about together, and how often for one page: more than any page has."""


class Marked(Reply):
    """What is kept of a mark: the item."""

    item_id: str | None


class InboxReading(Parts):
    """Addressed to the caller or its teams, and not its own doing."""

    @rpc
    def list_inbox(self, request: ListInbox, caller: Caller) -> Inbox:
        """Give one page, newest first, and how many are unread."""
        shown, following = self._inbox_page(caller, number_of(request.cursor), request.limit)
        recent, marks = self._recent(caller, shown)
        unread = len(known(self.sharing, caller.id, recent))
        items = tuple(InboxItem(**_told(item, marks)) for item in shown)
        if not shown:
            return Inbox(items=items, next=following, unread=unread)
        disclosed = disclose(self.records, caller, "inbox.list", "listed", shown)
        return Inbox(items=items, next=following, unread=unread, disclosed=disclosed)

    @rpc
    def count_unread(self, request: CountUnread, caller: Caller) -> Unread:
        """Give the number alone."""
        recent, _ = self._recent(caller, ())
        return Unread(unread=len(known(self.sharing, caller.id, recent)))

    @command
    def mark_item(self, request: MarkItem, caller: Caller) -> InboxItemView:
        """Mark one item as read, or as not. Raises NotVisible."""
        item = self._visible(request.item_id, caller)

        def body(session: Session, emit: Emit) -> Marked:
            self.marks.mark(caller.id, item, request.mark.read, session)
            return Marked(item_id=item.id)

        self.commands.run(request, Marked, body)
        marks = self.marks.of(caller.id, self.marks.up_to(caller.id), [item])
        disclosed = disclose(self.records, caller, "inbox.read", "opened", [item])
        return InboxItemView(**_told(item, marks), disclosed=disclosed)

    @command
    def mark_read(self, request: MarkRead, caller: Caller) -> ReadMarked:
        """Mark everything up to an item or a time as read. Raises Invalid for an item that is not there."""
        last = self._up_to(request.mark.up_to, caller)

        def body(session: Session, emit: Emit) -> Marked:
            if last is not None:
                self.marks.mark_up_to(caller.id, last.n, session)
            return Marked(item_id=None if last is None else last.id)

        return ReadMarked(up_to=self.commands.run(request, Marked, body).item_id)

    def _inbox_page(self, caller: Caller, before: int | None, limit: int) -> tuple[list[Item], str | None]:
        """So many that may be shown, below `before`, and the cursor of what follows. What may not be is
        passed over: a short page, or an empty one with another behind it, would tell that it happened."""
        shown: list[Item] = []
        for _ in range(_BATCHES):
            found = self.items.addressed_before(inbox_keys(caller), before, _AT_ONCE, but_by=caller.id)
            shown += known(self.sharing, caller.id, found)
            if len(shown) > limit:
                return shown[:limit], cursor_of(shown[limit - 1].n)
            if len(found) < _AT_ONCE:
                return shown, None
            before = found[-1].n
        return shown, cursor_of(str(before))

    def _recent(self, caller: Caller, page: Sequence[Item]) -> tuple[list[Item], Marks]:
        """The unread ones of the newest, and the marks of these and of `page`."""
        up_to = self.marks.up_to(caller.id)
        newest = self.items.addressed_before(inbox_keys(caller), None, COUNTED, but_by=caller.id)
        marks = self.marks.of(caller.id, up_to, {item.id: item for item in (*page, *newest)}.values())
        return [item for item in newest if not marks.read(item)], marks

    def _visible(self, item_id: str, caller: Caller) -> Item:
        item = self.items.addressed(inbox_keys(caller), item_id)
        if item is None or item.actor_id == caller.id or not known(self.sharing, caller.id, [item]):
            raise NotVisible
        return item

    def _up_to(self, place: str | datetime, caller: Caller) -> Item | None:
        if isinstance(place, datetime):
            return self._last_seen_by(place, caller)
        item = self.items.addressed(inbox_keys(caller), place)
        if item is None:
            raise Invalid(errors=(FieldError("/up_to", "unknown", "There is no such item."),))
        return item

    def _last_seen_by(self, at: datetime, caller: Caller) -> Item | None:
        """The newest at that time that the caller may know of: its id is told."""
        before: int | None = None
        for _ in range(_BATCHES):
            found = self.items.addressed_before(
                inbox_keys(caller), before, _AT_ONCE, but_by=caller.id, until=at
            )
            if shown := known(self.sharing, caller.id, found):
                return shown[0]
            if len(found) < _AT_ONCE:
                return None
            before = found[-1].n
        return None


def _told(item: Item, marks: Marks) -> dict[str, object]:
    return {
        "id": item.id,
        "at": item.at,
        "kind": item.type,
        "case_id": item.case_id if item.of_a_case else None,
        "text": item.text,
        "href": item.href,
        "read": marks.read(item),
    }
