"""Whether a service may work at all: shut until what it must know first is known, and whenever that turns.

    gate: Gate = Gated(("cases_answered", "reconciled"), beside=("compare",))

While it is shut the process is not ready and says by `/readyz` which of the conditions is not met (at first
that is the first), every call is answered with Unavailable before its handler runs, and timers rest, but for
the methods named in `beside`, which are there to open it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from nameko.containers import WorkerContext
from nameko.extensions import DependencyProvider

from services.chassis.health import ready_when
from services.contracts.errors import Unavailable


class Gate:
    """Of one process. `lacking`: the condition that keeps it shut."""

    open = False
    lacking = ""

    def shut(self, lacking: str) -> None:
        self.open, self.lacking = False, lacking


class Gated(DependencyProvider):  # type: ignore[misc]
    """Gives a service its `Gate`, and holds it to it."""

    def __init__(self, conditions: Sequence[str], beside: Iterable[str]) -> None:
        self._conditions, self._beside, self._gate = tuple(conditions), frozenset(beside), Gate()
        self._gate.shut(self._conditions[0])

    def setup(self) -> None:
        for name in self._conditions:
            ready_when(name, partial(self._holds, name))

    def _holds(self, condition: str) -> bool:
        return self._gate.open or self._gate.lacking != condition

    def worker_setup(self, worker_ctx: WorkerContext) -> None:
        if not self._gate.open and worker_ctx.entrypoint.method_name not in self._beside:
            raise Unavailable(cause=f"not {self._gate.lacking}")

    def get_dependency(self, worker_ctx: object) -> Gate:
        return self._gate
