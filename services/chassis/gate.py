"""Whether a service may work at all: shut until what it must know first is known, and whenever that turns.

    gate: Gate = Gated("reconciled", beside=("compare",))

While it is shut the process is not ready, every call is answered with Unavailable before its handler runs,
and timers rest, but for the methods named in `beside`, which are there to open it.
"""

from __future__ import annotations

from collections.abc import Iterable

from nameko.containers import WorkerContext
from nameko.extensions import DependencyProvider

from services.chassis.health import ready_when
from services.contracts.errors import Unavailable


class Gate:
    """Of one process."""

    open = False


class Gated(DependencyProvider):  # type: ignore[misc]
    """Gives a service its `Gate`, and holds it to it."""

    def __init__(self, condition: str, beside: Iterable[str]) -> None:
        self._condition, self._beside, self._gate = condition, frozenset(beside), Gate()

    def setup(self) -> None:
        gate = self._gate
        ready_when(self._condition, lambda: gate.open)

    def worker_setup(self, worker_ctx: WorkerContext) -> None:
        if not self._gate.open and worker_ctx.entrypoint.method_name not in self._beside:
            raise Unavailable(cause=f"not {self._condition}")

    def get_dependency(self, worker_ctx: object) -> Gate:
        return self._gate
