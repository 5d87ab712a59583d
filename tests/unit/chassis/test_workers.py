"""Greenlets that are used again."""

from __future__ import annotations

from tests.eventlet_process import run

_CHILDREN = "tests.unit.chassis.worker_children"


def test_a_worker_is_used_again_and_keeps_nothing_of_the_last_call() -> None:
    found = run(f"{_CHILDREN}:one_after_the_other")
    assert found == {"greenlets": 1, "settings": ["none", "none"], "failed": []}


def test_work_that_waits_does_not_keep_other_work_waiting() -> None:
    assert run(f"{_CHILDREN}:side_by_side") == ["second", "first"]


def test_work_that_raises_is_told_of_and_costs_nothing_else() -> None:
    assert run(f"{_CHILDREN}:after_a_failure") == {"failed": ["LookupError"], "done": 1}


def test_killed_work_ends_and_is_no_failure() -> None:
    assert run(f"{_CHILDREN}:killed") == {"count": 1, "ended": ["ended"], "failed": []}
