"""What goes wrong while a check runs: processes killed, the broker frozen, the database's primary deposed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pymongo

from deploy.launcher.cell import Cell

Act = Callable[[], str]
USUAL = ("kill", "kill", "freeze")
DEPOSED_SECONDS = 6.0
"""Longer than an election takes, and as long as a request lives."""


class Trouble:
    """Makes one thing after another go wrong, until it is stopped. What it did is in `done`."""

    def __init__(
        self,
        cell: Cell,
        *,
        seed: int,
        rest: tuple[float, float] = (2.0, 4.0),
        acts: Sequence[str] | None = None,
    ) -> None:
        """`acts`, in turn: kill, kill_cases, freeze, kill_broker, depose (of a cluster). None: the usual."""
        self._cell, self._random, self._rest = cell, random.Random(seed), rest
        known: dict[str, Act] = {
            "kill": self._kill,
            "kill_cases": lambda: self._kill("cases"),
            "freeze": self._freeze_broker,
            "kill_broker": self._kill_broker,
            "depose": self._depose,
        }
        names = (*USUAL, *(("depose",) if cell.plan.cluster else ())) if acts is None else acts
        self._acts = [known[name] for name in names]
        self.done: list[str] = []

    def run(self, stop: threading.Event) -> None:
        turn = 0
        while self._acts and not stop.wait(self._random.uniform(*self._rest)):
            with suppress(OSError, LookupError, pymongo.errors.PyMongoError):
                self.done.append(self._acts[turn % len(self._acts)]())
            turn += 1

    def _kill(self, service: str = "") -> str:
        """kill -9 one service process, of `service` if that is named; its supervisor starts another."""
        running = [
            one
            for one in self._cell.processes().values()
            if one.kind == "service" and one.pid and one.name.startswith(service)
        ]
        victim = self._random.choice(running)
        os.kill(victim.pid, signal.SIGKILL)
        return f"kill -9 {victim.name.rpartition('-')[0]}"

    def _freeze_broker(self) -> str:
        nodes = [one.pid for one in self._cell.processes().values() if one.kind == "broker" and one.pid]
        self._frozen(nodes, 2.0)
        return "broker frozen 2 s"

    def _kill_broker(self) -> str:
        """kill -9 a node; its supervisor starts it again, with what it has on its disk."""
        nodes = [one for one in self._cell.processes().values() if one.kind == "broker" and one.pid]
        os.kill(self._random.choice(nodes).pid, signal.SIGKILL)
        return "kill -9 broker"

    def _depose(self) -> str:
        """The primary stands still until another is elected and for a while after; it wakes up believing."""
        with self.deposed():
            time.sleep(DEPOSED_SECONDS)
        return f"primary frozen {DEPOSED_SECONDS:.0f} s"

    @contextmanager
    def deposed(self) -> Iterator[str]:
        """The primary stands still meanwhile; its name."""
        primary = self.primary()
        with self._still([self._cell.processes()[primary].pid]):
            yield primary

    def primary(self) -> str:
        """The name of the database's primary. Raises PyMongoError, LookupError."""
        with pymongo.MongoClient(self._cell.mongo_url("operator"), serverSelectionTimeoutMS=5000) as client:  # type: ignore[var-annotated]
            client.admin.command("ping")
            port = client.primary[1] if client.primary else 0
        return [name for name, its in self._cell.ports.items() if its == port and "mongo" in name][0]  # noqa: RUF015

    def _frozen(self, pids: list[int], seconds: float) -> None:
        with self._still(pids):
            time.sleep(seconds)

    @contextmanager
    def _still(self, pids: list[int]) -> Iterator[None]:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
