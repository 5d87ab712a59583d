"""A connection read from the hub."""

from __future__ import annotations

from services.chassis.turns import TURN
from tests.eventlet_process import run

_CHILDREN = "tests.unit.chassis.reader_children"


def test_everything_is_read_and_then_the_loss_is_told() -> None:
    assert run(f"{_CHILDREN}:what_arrives") == {"ended": "ConnectionResetError", "read": "abcd"}


def test_others_get_their_turn_while_frames_flood_in() -> None:
    seen = run(f"{_CHILDREN}:a_flood")
    assert seen[-1] == 3 * TURN
    assert all(later - earlier <= TURN for earlier, later in zip([0, *seen], seen, strict=False))


def test_a_socket_shut_down_by_another_greenlet_ends_the_reading() -> None:
    assert run(f"{_CHILDREN}:cut_by_another") == "ConnectionResetError"


def test_a_killed_reader_reads_nothing_more() -> None:
    assert run(f"{_CHILDREN}:killed") == 0
