"""Links that come and go, and a client over them, without a broker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from services.chassis.dial import Notices
from services.chassis.link import Link
from services.chassis.upkeep import BACK_OFF_FIRST
from services.contracts.errors import Busy, LinkDown, Unavailable
from tests.eventlet_process import run

_CHILDREN = "tests.unit.chassis.link_children"


@pytest.fixture(scope="module")
def client() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = run(f"{_CHILDREN}:every_client_case")
    return found


@pytest.fixture(scope="module")
def links() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = run(f"{_CHILDREN}:every_link_case")
    return found


def _link() -> Link:
    return Link(["amqp://broker.invalid"], "test")


def test_a_link_that_is_down_says_so_at_once() -> None:
    with pytest.raises(LinkDown):
        _link().publish("exchange", "key", b"{}", {})
    with pytest.raises(LinkDown):
        _ = _link().channel


@pytest.mark.parametrize(
    ("blocked", "full", "expected"),
    [(True, False, Unavailable), (False, True, Busy), (True, True, Unavailable)],
)
def test_what_the_broker_does_not_take_is_refused_at_once(
    blocked: bool, full: bool, expected: type[Exception]
) -> None:
    link = _link()
    link._channel = object()
    link._connection = SimpleNamespace(full=full)  # type: ignore[assignment]
    link._notices = Notices(blocked)
    with pytest.raises(expected) as raised:
        link.publish("exchange", "key", b"{}", {})
    assert type(raised.value) is expected


def test_one_who_waits_no_longer_does_not_end_the_waiting_of_others(
    links: dict[str, dict[str, Any]],
) -> None:
    found = links["one_waiter_gives_up"]
    assert found == {"early": {"impatient": False}, "late": {"impatient": False, "patient": True}}


def test_connections_that_are_lost_at_once_are_not_made_without_a_pause(
    links: dict[str, dict[str, Any]],
) -> None:
    pauses = sum(BACK_OFF_FIRST * 2**number for number in range(3))
    assert links["losses_without_end"]["seconds"] > pauses * 0.45  # each is at least half of itself


def test_a_callback_that_fails_costs_neither_the_others_nor_the_link(
    links: dict[str, dict[str, Any]],
) -> None:
    assert links["a_callback_that_fails"] == {"up": False}


@pytest.mark.parametrize("code", ["deadline_expired", "link_down"])
def test_an_error_that_was_answered_is_final(client: dict[str, dict[str, Any]], code: str) -> None:
    found = client[code]
    assert (found["outcome"], found["requests"]) == (code, 1)
    assert found["seconds"] < 1


def test_a_silent_callee_is_asked_once_more_under_another_id(client: dict[str, dict[str, Any]]) -> None:
    found = client["silent_at_first"]
    assert (found["outcome"], found["requests"], found["ids"]) == ("second", 2, 2)


def test_a_callee_that_stays_silent_costs_the_deadline_and_no_more(client: dict[str, dict[str, Any]]) -> None:
    found = client["silent_for_good"]
    assert (found["outcome"], found["requests"]) == ("deadline_expired", 2)
    assert 0.5 < found["seconds"] < 5


def test_a_call_outlives_connections_that_are_lost(client: dict[str, dict[str, Any]]) -> None:
    found = client["lost_at_first"]
    assert (found["outcome"], found["requests"], found["ids"]) == ("fourth", 4, 4)


def test_a_service_that_is_not_there_is_known_at_once(client: dict[str, dict[str, Any]]) -> None:
    found = client["nobody_there"]
    assert (found["outcome"], found["requests"]) == ("unknown_service", 1)
    assert found["seconds"] < 1


def test_only_the_first_answer_counts_and_strays_do_no_harm(client: dict[str, dict[str, Any]]) -> None:
    assert client["answered_twice"]["outcome"] == "first"


def test_no_call_leaves_anything_behind(client: dict[str, dict[str, Any]]) -> None:
    assert {name: found["pending"] for name, found in client.items()} == dict.fromkeys(client, 0)
