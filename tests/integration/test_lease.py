"""A lease on a real database, with the holders' clocks in the test's hand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.lease import Lease
from services.chassis.mongo import connect
from tests.cell import Parts
from tests.waiting import until


@pytest.fixture
def leases(parts: Parts) -> Iterator[Any]:
    with connect(parts.mongo_url("echo"), app="test") as client:
        yield client["echo"]["leases"]


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


def test_one_of_two_holds_it_and_may_renew(leases: Any, name: str) -> None:
    one, other = Lease(leases, name, "one", 5), Lease(leases, name, "other", 5)
    assert one.take()
    assert not other.take()
    assert not other.held
    assert one.take()
    assert one.token == 1


def test_what_is_given_up_can_be_taken_at_once_under_a_higher_token(leases: Any, name: str) -> None:
    one, other = Lease(leases, name, "one", 60), Lease(leases, name, "other", 60)
    one.take()
    one.release()
    assert not one.held
    assert other.take()
    assert other.token == 2


def test_a_holder_that_says_nothing_loses_it_by_its_own_clock_before_another_can_take_it(
    leases: Any, name: str
) -> None:
    now = [0.0]
    one, other = Lease(leases, name, "one", 0.5, clock=lambda: now[0]), Lease(leases, name, "other", 0.5)
    assert one.take()
    now[0] += 0.39
    assert one.held
    assert one.due
    now[0] += 0.02
    assert not one.held
    assert until(other.take)
    assert not one.take()
    assert other.token == 2


def test_a_late_release_does_not_take_it_from_the_next_holder(leases: Any, name: str) -> None:
    one, other = Lease(leases, name, "one", 0.05), Lease(leases, name, "other", 60)
    one.take()
    assert until(other.take)
    one.release()
    assert not one.take()


def test_a_holder_that_comes_back_after_its_time_gets_a_new_token(leases: Any, name: str) -> None:
    one = Lease(leases, name, "one", 0.05)
    one.take()
    until(lambda: leases.find_one({"_id": name})["until"] < datetime.now(UTC))
    assert one.take()
    assert one.token == 2
