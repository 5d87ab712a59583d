"""What goes wrong while a check runs: processes killed, the broker frozen, the database's primary deposed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pymongo

from deploy.launcher.cell import Cell

Act = Callable[[], str]


class Trouble:
    """Makes one thing after another go wrong, until it is stopped. What it did is in `done`."""

    def __init__(self, cell: Cell, *, seed: int, rest: tuple[float, float] = (2.0, 4.0)) -> None:
        self._cell, self._random, self._rest = cell, random.Random(seed), rest
        self.done: list[str] = []

    def run(self, stop: threading.Event) -> None:
        acts: list[Act] = [self._kill, self._kill, self._freeze_broker]
        if self._cell.plan.cluster:
            acts = [*acts, self._depose]
        turn = 0
        while not stop.wait(self._random.uniform(*self._rest)):
            with suppress(OSError, pymongo.errors.PyMongoError):
                self.done.append(acts[turn % len(acts)]())
            turn += 1

    def _kill(self) -> str:
        """kill -9 one service process; its supervisor starts another."""
        running = [one for one in self._cell.processes().values() if one.kind == "service" and one.pid]
        victim = self._random.choice(running)
        os.kill(victim.pid, signal.SIGKILL)
        return f"kill -9 {victim.name.rpartition('-')[0]}"

    def _freeze_broker(self) -> str:
        nodes = [one.pid for one in self._cell.processes().values() if one.kind == "broker" and one.pid]
        self._frozen(nodes, 2.0)
        return "broker frozen 2 s"

    def _depose(self) -> str:
        """The primary stands still until another is elected and for a while after; it wakes up believing."""
        primary = self._primary()
        self._frozen([self._cell.processes()[primary].pid], 6.0)
        return "primary frozen 6 s, another elected"

    def _primary(self) -> str:
        with pymongo.MongoClient(self._cell.mongo_url("operator"), serverSelectionTimeoutMS=5000) as client:  # type: ignore[var-annotated]
            client.admin.command("ping")
            port = client.primary[1] if client.primary else 0
        return next(name for name, its in self._cell.ports.items() if its == port and "mongo" in name)

    def _frozen(self, pids: list[int], seconds: float) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
