"""When a lost connection is dialled again, when a silent one is given up, when one may be written on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from services.chassis.upkeep import BACK_OFF_FIRST, BACK_OFF_MOST, STEADY, BackOff, check_writable, silent
from services.contracts.errors import Busy, LinkDown, Unavailable


def test_pauses_double_up_to_the_most() -> None:
    back_off = BackOff(lambda: 1.0)
    pauses = [back_off.pause() for _ in range(6)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, BACK_OFF_MOST, BACK_OFF_MOST])


def test_chance_takes_half_of_a_pause_at_most() -> None:
    assert BackOff(lambda: 0.0).pause() == pytest.approx(BACK_OFF_FIRST / 2)


@pytest.mark.parametrize(("seconds", "pause"), [(STEADY + 0.1, BACK_OFF_FIRST), (STEADY, 2 * BACK_OFF_FIRST)])
def test_after_a_connection_that_lasted_the_pause_is_short_again(seconds: float, pause: float) -> None:
    back_off = BackOff(lambda: 1.0)
    back_off.pause()
    back_off.lived(seconds)
    assert back_off.pause() == pytest.approx(pause)


@pytest.mark.parametrize(("seconds", "given_up"), [(4.7, False), (4.9, True), (float("inf"), True)])
def test_silence_of_more_than_an_interval_is_the_end_of_a_connection(seconds: float, given_up: bool) -> None:
    connection: Any = SimpleNamespace(silent_for=lambda: seconds)
    assert silent(connection, 4.0) is given_up


def test_what_cannot_be_written_on_says_why() -> None:
    free: Any = SimpleNamespace(full=False)
    full: Any = SimpleNamespace(full=True)
    check_writable(free, blocked=False)
    with pytest.raises(LinkDown):
        check_writable(None, blocked=True)
    with pytest.raises(Unavailable):
        check_writable(free, blocked=True)
    with pytest.raises(Busy):
        check_writable(full, blocked=False)
