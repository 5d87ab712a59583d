"""Starts contenders, hands out turns and measures what they cost. Everything started here ends here."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.bench.cpu import seconds_used
from tests.bench.figures import ROOT
from tests.bench.turns import READY, Played, Turn, write

Kept = TypeVar("Kept", bound="Process")

START_SECONDS = 40.0
OVER_TIME = 30.0
"""Seconds that a turn may take longer than it should before the benchmark gives up."""


class Process:
    """A server: anything that runs until it is told to stop."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], pipe: int = subprocess.DEVNULL
    ) -> None:
        self._arguments = arguments
        self._popen = subprocess.Popen[str](
            [sys.executable, "-W", "ignore", "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            text=True,
            stdin=pipe,
            stdout=pipe,
        )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def stop(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(10)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()


class Player(Process):
    """A client: plays when it is asked to, and answers what came of it."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(arguments, environment, subprocess.PIPE)

    def wait_ready(self) -> None:
        answer = self._read(START_SECONDS)
        if answer != READY:
            raise RuntimeError(f"{' '.join(self._arguments[:2])} did not get ready")

    def play(self, turn: Turn) -> dict[str, Any]:
        """Return the client's answer."""
        assert self._popen.stdin is not None
        write(self._popen.stdin, turn)
        answer: dict[str, Any] = json.loads(self._read(turn.seconds + OVER_TIME))
        return answer

    def _read(self, patience: float) -> str:
        assert self._popen.stdout is not None
        readable, _, _ = select.select([self._popen.stdout], [], [], patience)
        line = self._popen.stdout.readline() if readable else ""
        if not line:
            raise RuntimeError(f"{' '.join(self._arguments[:2])} ended or fell silent")
        return line.strip()


@dataclass(frozen=True)
class Score:
    """One turn: what the client saw, and the CPU seconds that client and servers used for it."""

    played: Played
    cpu: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.played.rate

    @property
    def cpu_per_call(self) -> float:
        """Seconds."""
        return self.cpu / max(1, self.played.calls)


@dataclass
class Contender:
    """A client and the servers that work for it. Contenders may share a server, in turns."""

    name: str
    player: Player
    servers: Sequence[Process] = ()

    def take(self, turn: Turn) -> Score:
        pids = [self.player.pid, *(server.pid for server in self.servers)]
        before = seconds_used(pids)
        result = Played(**self.player.play(turn))
        return Score(result, seconds_used(pids) - before)


@dataclass
class Stage:
    """The processes of one benchmark; leaving it stops them all."""

    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def server(self, *arguments: str, **environment: str) -> Process:
        return self._keep(Process(arguments, environment))

    def player(self, *arguments: str, **environment: str) -> Player:
        return self._keep(Player(arguments, environment))

    def _keep(self, process: Kept) -> Kept:
        self._stack.callback(process.stop)
        return process
