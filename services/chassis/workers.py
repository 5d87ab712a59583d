"""Greenlets that do one piece of work after another.

A new greenlet costs as much as opening a sealed message: CPython 3.11 maps memory for each, and unmaps it at
its end. So those that have finished wait for the next piece; never more than were once busy together.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context

from eventlet.event import Event
from eventlet.greenthread import kill
from eventlet.hubs import get_hub
from greenlet import GreenletExit, getcurrent, greenlet

Work = Callable[[], object]


class Workers:
    """Takes the place of nameko's pool. `failed` is told when work raises, which it should not."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._idle: list[greenlet] = []
        self._busy: set[greenlet] = set()
        self._none_busy = Event()

    def spawn(self, work: Work) -> None:
        """Have `work` run in the hub's next turn. Context variables that it sets end with it."""
        hub = get_hub()
        worker = self._idle.pop() if self._idle else greenlet(self._serve, parent=hub.greenlet)
        self._busy.add(worker)
        hub.schedule_call_global(0, worker.switch, work)

    def waitall(self) -> None:
        """Return when nothing is at work."""
        while self._busy:
            self._none_busy.wait()

    def kill(self) -> int:
        """End what is at work; say how many that was."""
        busy = list(self._busy)
        for worker in busy:
            kill(worker)
        return len(busy)

    def _serve(self, work: Work) -> None:
        me = getcurrent()
        while True:
            try:
                Context().run(work)
            except GreenletExit:
                return
            except BaseException as problem:
                self._failed(problem)
            finally:
                self._ended(me)
            self._idle.append(me)
            work = get_hub().switch()

    def _ended(self, worker: greenlet) -> None:
        self._busy.discard(worker)
        if not self._busy:
            told, self._none_busy = self._none_busy, Event()
            told.send()
