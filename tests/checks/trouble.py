"""What goes wrong while a check runs, one thing after another."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pymongo

from deploy.launcher.cell import Cell
from deploy.launcher.trouble import Trouble as NotDone
from deploy.operator_api import ApiTrouble
from tests.checks.acts import ACTS, Act, deposed, primary

USUAL = ("kill", "kill", "freeze")
_FAILURES = (
    OSError,
    LookupError,
    AssertionError,
    NotDone,
    ApiTrouble,
    pymongo.errors.PyMongoError,
    subprocess.SubprocessError,
)


@dataclass(frozen=True, slots=True)
class Span:
    """When an act was begun and mended, on the monotonic clock."""

    act: str
    began: float
    ended: float


class Trouble:
    """Makes one thing after another go wrong, until it is stopped. What it did is in `done` and `spans`."""

    def __init__(
        self,
        cell: Cell,
        *,
        seed: int,
        rest: tuple[float, float] = (2.0, 4.0),
        acts: Sequence[str] | None = None,
        more: Mapping[str, Act] | None = None,
    ) -> None:
        """`acts`, in turn, are names of `acts.ACTS` and of `more`. None: the usual."""
        self._cell, self._random, self._rest = cell, random.Random(seed), rest
        self._known = {**ACTS, **(more or {})}
        self._acts = (*USUAL, *(("depose",) if cell.plan.cluster else ())) if acts is None else acts
        self.done: list[str] = []
        self.spans: list[Span] = []
        self.failed: list[str] = []
        """What could not be done, or not be mended in time."""

    def run(self, stop: threading.Event) -> None:
        turn = 0
        while self._acts and not stop.wait(self._random.uniform(*self._rest)):
            name, began = self._acts[turn % len(self._acts)], time.monotonic()
            try:
                self.done.append(self._known[name](self._cell, self._random))
                self.spans.append(Span(name, began, time.monotonic()))
            except _FAILURES as problem:
                self.failed.append(f"{name}: {type(problem).__name__} {problem}")
            turn += 1

    @property
    def kinds(self) -> set[str]:
        """Which acts were done."""
        return {span.act for span in self.spans}

    def deposed(self) -> AbstractContextManager[str]:
        """The primary stands still meanwhile; its name."""
        return deposed(self._cell)

    def primary(self) -> str:
        """The name of the database's primary. Raises PyMongoError, LookupError."""
        return primary(self._cell)
