"""Work that a service does by itself, every so often: sweeps, catching up, expiry.

Two instances may do it at once: a timer MUST be harmless when done twice. It gets a context of its own, so
that calls have a deadline and commands a key.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import eventlet
from nameko.extensions import Entrypoint

from services.chassis.container import CONTEXT
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.contracts.errors import Unavailable

Method = TypeVar("Method", bound=Callable[..., Any])

LONGEST = 30.0
"""Seconds that one turn may take."""


class Timer(Entrypoint):  # type: ignore[misc]
    """Calls a method `seconds` after the last turn has ended. What it raises is logged, and it goes on."""

    def __init__(self, seconds: float, **options: Any) -> None:
        # A part that is away is a line in the log each time, not a trace.
        super().__init__(**{"expected_exceptions": Unavailable, **options})
        self._seconds = seconds
        self._stopping = False
        self._loop: Any = None

    def start(self) -> None:
        self._loop = eventlet.spawn(self._run)

    def stop(self) -> None:
        self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    def kill(self) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping:
            eventlet.sleep(self._seconds)
            self._turn()

    def _turn(self) -> None:
        done = eventlet.event.Event()
        turn = uuid.uuid4().hex
        serving = Context(turn, Deadline.after(LONGEST), key=turn)

        def finish(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(None)
            return result, exc_info

        self.container.spawn_worker(self, (), {}, context_data={CONTEXT: serving}, handle_result=finish)
        done.wait()


def every(seconds: float) -> Callable[[Method], Method]:
    """Mark `(self)` as work to be done every `seconds`."""
    mark: Callable[[Method], Method] = Timer.decorator(seconds)
    return mark
