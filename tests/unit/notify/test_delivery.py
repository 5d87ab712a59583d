"""What an attempt leads to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.notify.domain.delivery import Attempt, Delivery, ErrorCode, Step, after
from services.notify.domain.schedule import Schedule
from tests.unit.notify.made import item

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SCHEDULE = Schedule(first=5, factor=3, longest=100, give_up=60)


def delivery(tries: int = 0, armed: datetime = NOW) -> Delivery:
    return Delivery("d1", "s1", "c1", item(), "pending", None, (), NOW, tries, armed)


def step(status: int | None = None, error: ErrorCode | None = None, **given: object) -> Step:
    attempt = Attempt(NOW, 12, status, error)
    return after(attempt, delivery(**given), SCHEDULE, NOW, 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert step(status) == Step("delivered")


def test_410_fails_and_disables() -> None:
    assert step(410) == Step("failed", disables=True)


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    assert step(status) == Step("pending", NOW + timedelta(seconds=5))


def test_no_answer_is_tried_again_and_later_each_time() -> None:
    assert step(error="connect", tries=1) == Step("pending", NOW + timedelta(seconds=15))


def test_it_fails_when_the_schedule_has_ended() -> None:
    assert step(500, tries=3, armed=NOW - timedelta(seconds=50)) == Step("failed")


def test_a_lane_is_a_case_of_a_producer() -> None:
    assert delivery().lane == "cases/k1"
