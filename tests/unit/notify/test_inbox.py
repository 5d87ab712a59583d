"""What an inbox tells of what it may not show: nothing, by its length, its cursors or its marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.caller import Caller
from services.contracts.notify import ListInbox, MarkRead, ReadMark
from services.notify.domain.items import Item
from services.notify.handlers import inbox
from services.notify.handlers.inbox import InboxReading
from tests.unit.notify.made import AT, item


class Items:
    def __init__(self, items: Sequence[Item]) -> None:
        self._items = sorted(items, key=lambda one: -one.n)

    def addressed_before(
        self,
        _keys: object,
        n: int | None,
        limit: int,
        *,
        but_by: str,
        since: int = 0,
        until: datetime | None = None,
    ) -> list[Item]:
        found = [one for one in self._items if (n is None or one.n < n) and one.n > since]
        return [one for one in found if until is None or one.at <= until][:limit]


class Marks:
    def __init__(self) -> None:
        self.to: list[int] = []

    def up_to(self, _who: str) -> int:
        return 0

    def of(self, *_: object) -> Any:
        return SimpleNamespace(read=lambda one: False)

    def mark_up_to(self, _who: str, n: int, _session: object) -> None:
        self.to.append(n)


class Desk(InboxReading):
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = Items(items)  # type: ignore[assignment]
        self.marks = Marks()  # type: ignore[assignment]
        self.sharing = None  # type: ignore[assignment]
        self.records = SimpleNamespace(keep=lambda record: None)  # type: ignore[assignment]
        self.commands = SimpleNamespace(  # type: ignore[assignment]
            run=lambda request, reply, body: body(None, None)
        )


@pytest.fixture(autouse=True)
def withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is withheld from anybody is withheld from the caller."""
    monkeypatch.setattr(
        inbox, "known", lambda _sharing, _who, items: [one for one in items if not one.withheld_from]
    )


def told(n: int, *, hidden: bool = False) -> Item:
    made = item(id=f"i{n}", event_id=f"e{n}", n=n, at=AT + timedelta(minutes=n), owner_agency_id="a1")
    return replace(made, withheld_from=("a2",)) if hidden else made


def caller() -> Caller:
    return Caller(
        kind="user",
        id="u2",
        agency_id="a2",
        device_class="personal",
        audience="notify",
        method="list_inbox",
        args_hash="0" * 64,
        request_id="r",
        now=AT,
        expires_at=AT,
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 25])
def test_pages_are_the_same_whether_or_not_something_was_withheld(limit: int) -> None:
    open_ones = [told(n) for n in (2, 5, 6)]
    secret = [told(n, hidden=True) for n in (1, 3, 4, 7, 8)]

    def pages(items: list[Item]) -> list[tuple[list[str], str | None]]:
        desk, found, cursor = Desk(items), [], None
        while True:
            page = desk.list_inbox(ListInbox(limit=limit, cursor=cursor), caller())
            found.append(([one.id for one in page.items], page.next))
            if (cursor := page.next) is None:
                return found

    assert pages([*open_ones, *secret]) == pages(open_ones)


def test_a_mark_up_to_a_time_names_nothing_that_is_withheld() -> None:
    desk = Desk([told(1), told(2, hidden=True)])
    mark = MarkRead(mark=ReadMark(up_to=AT + timedelta(hours=1)))
    assert desk.mark_read(mark, caller()).up_to == "i1"
    assert Desk([told(2, hidden=True)]).mark_read(mark, caller()).up_to is None
