"""What a worker knows of the call that it serves."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from services.chassis.context import Context, current, enter, use
from services.chassis.deadline import Deadline

CALL = Context("r1", Deadline(1_800_000_000.0), "00-a", "gateway", "k1")
OTHER = Context("r2", Deadline(1_800_000_001.0))


def test_outside_a_call_there_is_no_context() -> None:
    assert current() is None


def test_a_context_ends_with_its_block_even_when_that_fails() -> None:
    def fail() -> None:
        with use(CALL):
            assert current() is CALL
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert current() is None


def test_the_outer_context_is_back_after_an_inner_one() -> None:
    with use(CALL):
        with use(OTHER):
            pass
        assert current() is CALL


def test_a_timer_gives_each_thing_that_it_does_a_key_of_its_own() -> None:
    keyed = OTHER.keyed("k9")
    assert (keyed.key, keyed.request_id, keyed.deadline) == ("k9", "r2", OTHER.deadline)
    assert OTHER.key is None


def test_what_one_worker_enters_is_unknown_to_the_next() -> None:
    contextvars.Context().run(enter, CALL)
    assert current() is None
    assert contextvars.Context().run(current) is None


def test_tasks_do_not_see_each_others_calls() -> None:
    async def serve(call: Context) -> Context | None:
        enter(call)
        await asyncio.sleep(0)
        return current()

    async def both() -> tuple[Context | None, ...]:
        return tuple(await asyncio.gather(serve(CALL), serve(OTHER)))

    assert asyncio.run(both()) == (CALL, OTHER)


def test_a_new_span_changes_nothing_else() -> None:
    traced = CALL.traced("00-b")
    assert traced.traceparent == "00-b"
    assert traced.traced("00-a") == CALL
    assert CALL.traced("00-a") is CALL


def test_a_shorter_time_is_all_that_another_context_of_the_same_call_has() -> None:
    serving = Context("r1", Deadline.after(100), "00-a", "gateway", "k1")
    shorter = serving.within(5)
    assert shorter.deadline.left() == pytest.approx(5, abs=0.5)
    assert shorter == Context("r1", shorter.deadline, "00-a", "gateway", "k1")
    assert serving.within(1000).deadline == serving.deadline
