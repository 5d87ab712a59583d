"""Nothing is shown before its record is safe, and the numbers of a process tell what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.chassis.confirms import Outcome, Ticket
from services.chassis.context import Context, use
from services.chassis.deadline import Deadline
from services.chassis.recording import RECORD_LIMIT, Keeper
from services.chassis.topology import INTAKE, queues
from services.contracts.directory import SERVICES
from services.contracts.errors import DeadlineExpired, Internal, LinkDown, Unavailable
from services.contracts.records import Object
from tests.unit.audit.logs import record


class FakeConfirms:
    """Settles each message as it is told to: an outcome, or an error at once."""

    def __init__(self) -> None:
        self.next: list[Outcome | Exception] = []
        self.sent: list[dict[str, Any]] = []

    def publish(self, _exchange: str, _key: str, body: bytes, properties: dict[str, Any]) -> Ticket:
        planned = self.next.pop(0) if self.next else Outcome.CONFIRMED
        if isinstance(planned, Exception):
            raise planned
        assert properties["delivery_mode"] == 2
        ticket = Ticket("id")
        ticket.outcome = planned
        self.sent.append(json.loads(body))
        return ticket

    def wait(self, tickets: list[Ticket], _seconds: float) -> bool:
        return all(ticket.confirmed for ticket in tickets)


class FakeKeyring:
    def seal(self, _peer: str, body: bytes, _deadline: int, _context: bytes) -> bytes:
        return body


@pytest.fixture
def confirms() -> FakeConfirms:
    return FakeConfirms()


@pytest.fixture
def keeper(confirms: FakeConfirms) -> Keeper:
    return Keeper(confirms, FakeKeyring(), "cases")  # type: ignore[arg-type]


def test_records_are_numbered_from_one_without_a_gap(keeper: Keeper, confirms: FakeConfirms) -> None:
    for _ in range(3):
        keeper.keep(record())
    assert [one["number"] for one in confirms.sent] == [1, 2, 3]
    assert len({one["publisher"] for one in confirms.sent}) == 1
    assert confirms.sent[0]["service"] == "cases"


@pytest.mark.parametrize("outcome", [Outcome.RETURNED, Outcome.REFUSED, Outcome.LOST])
def test_what_is_not_confirmed_is_refused_and_told_as_doubtful_until_that_is_confirmed(
    keeper: Keeper, confirms: FakeConfirms, outcome: Outcome
) -> None:
    keeper.keep(record())
    confirms.next = [outcome, outcome]
    for _ in range(2):
        with pytest.raises(Unavailable):
            keeper.keep(record())
    keeper.keep(record())
    keeper.keep(record())
    told = [(one["number"], one["doubtful"]) for one in confirms.sent]
    assert told == [(1, []), (2, []), (3, [[2, 2]]), (4, [[2, 3]]), (5, [])]


def test_a_record_that_never_left_uses_up_no_number(keeper: Keeper, confirms: FakeConfirms) -> None:
    confirms.next = [LinkDown()]
    with pytest.raises(LinkDown):
        keeper.keep(record())
    keeper.keep(record())
    assert [(one["number"], one["doubtful"]) for one in confirms.sent] == [(1, [])]


def test_nothing_is_published_for_a_caller_who_has_given_up(keeper: Keeper, confirms: FakeConfirms) -> None:
    with use(Context("r", Deadline.after(-1))), pytest.raises(DeadlineExpired):
        keeper.keep(record())
    assert confirms.sent == []


def test_a_record_of_any_size_is_not_taken(keeper: Keeper, confirms: FakeConfirms) -> None:
    objects = tuple(Object(type="case", id="x" * 60) for _ in range(RECORD_LIMIT // 60))
    with pytest.raises(Internal):
        keeper.keep(record(objects=objects))
    keeper.keep(record())
    assert [one["number"] for one in confirms.sent] == [1]


def test_the_intake_drops_nothing_and_gives_to_one_consumer_at_a_time() -> None:
    (intake,) = [queue for queue in queues(SERVICES, cluster=False) if queue["name"] == INTAKE]
    assert intake["arguments"] == {
        "x-queue-type": "quorum",
        "x-overflow": "reject-publish",
        "x-single-active-consumer": True,
    }


def test_a_mark_says_how_far_the_process_is_and_what_is_doubtful(
    keeper: Keeper, confirms: FakeConfirms
) -> None:
    assert keeper.mark()
    assert confirms.sent == []  # nothing was recorded: there is nothing to miss
    keeper.keep(record())
    confirms.next = [Outcome.LOST]
    with pytest.raises(Unavailable):
        keeper.keep(record())
    assert keeper.mark()
    assert keeper.mark(ended=True)
    first, last = confirms.sent[-2:]
    assert (first["last"], first["doubtful"], first["ended"]) == (2, [[2, 2]], False)
    assert last["ended"]
    confirms.next = [LinkDown()]
    assert not keeper.mark()
    keeper.keep(record())
    assert confirms.sent[-1]["number"] == 3  # marks use up no number
