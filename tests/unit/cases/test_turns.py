"""Writers to one thing take turns; to different things they do not wait."""

from __future__ import annotations

import threading
import time

import pytest

from services.cases.turns import Turns
from services.chassis import context
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.contracts.errors import Busy


def test_one_at_a_time_to_one_thing() -> None:
    turns, inside, most = Turns(), 0, 0

    def write() -> None:
        nonlocal inside, most
        with turns.of("case"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.002)
            inside -= 1

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert turns._wanted == {}


def test_another_thing_is_free_and_a_turn_is_waited_for_no_longer_than_the_call_lasts() -> None:
    turns, outcome = Turns(), list[str]()

    def late() -> None:
        with context.use(Context("request", Deadline.after(0.05))), turns.of("other"):
            outcome.append("other")
        with context.use(Context("request", Deadline.after(0.05))):
            try:
                with turns.of("case"):
                    outcome.append("case")
            except Busy:
                outcome.append("busy")

    with turns.of("case"):
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    assert outcome == ["other", "busy"]
    with turns.of("case"):
        pass
    assert turns._wanted == {}


def test_an_error_ends_the_turn() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="no"), turns.of("case"):
        raise ValueError("no")
    assert turns._wanted == {}
