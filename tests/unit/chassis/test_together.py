"""Events that come at the same time are applied in one transaction, or each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import eventlet
import pytest

from services.chassis.deadline import Deadline
from services.chassis.together import MOST, Together
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import Event
from services.contracts.errors import Unavailable


def event(name: str) -> Event:
    return Event.of(
        "echo", NOTE_CHANGED, f"notes/{name}", 1, NoteChanged(note_id=name), now=datetime.now(UTC)
    )


class Transactions:
    """`answer` is what each transaction comes to, or raises."""

    def __init__(self) -> None:
        self.answer: bool | Exception = True
        self.groups: list[list[str]] = []

    def apply_all(self, events: Sequence[Event], handle: Any, deadline: Deadline) -> bool:
        self.groups.append([one.subject for one in events])
        eventlet.sleep(0.005)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def took(together: Together, name: str, transactions: Transactions) -> Any:
    return eventlet.spawn(together.took, event(name), Deadline.after(4.0), transactions.apply_all)


def test_those_that_come_at_once_share_a_transaction() -> None:
    together, transactions = Together(lambda events, session: None), Transactions()
    assert all(one.wait() for one in [took(together, str(number), transactions) for number in range(5)])
    assert transactions.groups == [[f"notes/{number}" for number in range(5)]]


def test_those_that_come_meanwhile_share_the_next_one() -> None:
    together, transactions = Together(lambda events, session: None), Transactions()
    first = took(together, "first", transactions)
    eventlet.sleep(0.002)
    later = [took(together, str(number), transactions) for number in range(3)]
    assert first.wait()
    assert all(one.wait() for one in later)
    assert transactions.groups == [["notes/first"], ["notes/0", "notes/1", "notes/2"]]


def test_one_transaction_has_a_bounded_number_of_them() -> None:
    together, transactions = Together(lambda events, session: None), Transactions()
    assert all(
        one.wait() for one in [took(together, str(number), transactions) for number in range(MOST + 1)]
    )
    assert [len(group) for group in transactions.groups] == [MOST, 1]


@pytest.mark.parametrize("answer", [False, ValueError("a defect of one of them")])
def test_where_one_cannot_be_applied_each_goes_its_own_way(answer: bool | Exception) -> None:
    together, transactions = Together(lambda events, session: None), Transactions()
    transactions.answer = answer
    assert not any(one.wait() for one in [took(together, name, transactions) for name in "ab"])
    assert len(transactions.groups) == 1


def test_where_a_part_is_away_all_are_told_and_none_tries_by_itself() -> None:
    together, transactions = Together(lambda events, session: None), Transactions()
    transactions.answer = Unavailable()
    for one in [took(together, name, transactions) for name in "ab"]:
        with pytest.raises(Unavailable):
            one.wait()
    assert len(transactions.groups) == 1
    transactions.answer = True
    assert took(together, "a", transactions).wait()


def test_of_a_single_event_it_is_a_handler_too() -> None:
    seen: list[Sequence[Event]] = []
    one = event("a")
    Together(lambda events, session: seen.append(events))(one, session=None)  # type: ignore[arg-type]
    assert seen == [[one]]
