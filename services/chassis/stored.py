"""Gives a service one of its stores, on a database that was brought up to date first."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from nameko.extensions import DependencyProvider

from services.chassis.logs import log
from services.chassis.migrations import Step, migrate
from services.chassis.mongo import Store
from services.contracts.errors import Unavailable

PATIENCE = 60.0
"""Seconds that a starting process waits for its database; then it ends, and its supervisor starts another."""
LOOK_AGAIN = 0.5


class Stored(DependencyProvider):  # type: ignore[misc]
    """`notes = Stored(NoteStore, STEPS)`: nothing is served before the steps have run."""

    store = Store()

    def __init__(self, make: Callable[..., Any], steps: Sequence[Step] = ()) -> None:
        self._make, self._steps = make, steps

    def setup(self) -> None:
        self._migrate(f"{self.container.service_name}-{uuid.uuid4().hex[:8]}")
        self._made = self.make(self._make)

    def make(self, make: Callable[..., Any]) -> Any:
        """For those who need more than the database."""
        return make(self.store.database)

    def get_dependency(self, worker_ctx: object) -> Any:
        return self._made

    def _migrate(self, holder: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                migrate(self.store.database, self._steps, holder=holder)
                return
            except Unavailable as problem:
                if time.monotonic() >= give_up:
                    raise
                log.warning("database_awaited", code=problem.code)
                time.sleep(LOOK_AGAIN)
