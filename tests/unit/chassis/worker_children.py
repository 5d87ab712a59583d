"""Run in a patched process by test_workers.py."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import eventlet
import greenlet
from eventlet.event import Event

from services.chassis.workers import Workers

_setting: ContextVar[str] = ContextVar("setting", default="none")


def _workers() -> tuple[Workers, list[str]]:
    failed: list[str] = []
    return Workers(lambda problem: failed.append(type(problem).__name__)), failed


def one_after_the_other() -> dict[str, Any]:
    """The same greenlet does both, and the second sees nothing of the first's context."""
    workers, failed = _workers()
    seen: list[tuple[int, str]] = []

    def work() -> None:
        seen.append((id(greenlet.getcurrent()), _setting.get()))
        _setting.set("left behind")

    for _ in range(2):
        workers.spawn(work)
        workers.waitall()
    greenlets, settings = zip(*seen, strict=True)
    return {"greenlets": len(set(greenlets)), "settings": list(settings), "failed": failed}


def side_by_side() -> list[str]:
    """One that waits does not keep another from running."""
    workers, _ = _workers()
    happened: list[str] = []
    go = Event()

    def first() -> None:
        go.wait()
        happened.append("first")

    def second() -> None:
        happened.append("second")
        go.send()

    workers.spawn(first)
    workers.spawn(second)
    workers.waitall()
    return happened


def after_a_failure() -> dict[str, Any]:
    workers, failed = _workers()
    done: list[int] = []

    def fail() -> None:
        raise LookupError

    workers.spawn(fail)
    workers.waitall()
    workers.spawn(lambda: done.append(1))
    workers.waitall()
    return {"failed": failed, "done": len(done)}


def killed() -> dict[str, Any]:
    workers, failed = _workers()
    ended: list[str] = []

    def work() -> None:
        try:
            Event().wait()
        finally:
            ended.append("ended")

    workers.spawn(work)
    eventlet.sleep(0)
    count = workers.kill()
    workers.waitall()
    return {"count": count, "ended": ended, "failed": failed}
