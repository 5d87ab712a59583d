"""Processes made to stand still, and known to do so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GIVE_UP = 5.0


def freeze(pid: int) -> None:
    """Stop a process and wait until all of it has stopped: its threads run on for a moment, and answer."""
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + GIVE_UP
    while not all("\nState:\tT" in status for status in _statuses(pid)):
        if time.monotonic() > until:
            raise TimeoutError(f"process {pid} has not stopped")
        time.sleep(0.001)


@contextmanager
def still(pids: Sequence[int]) -> Iterator[None]:
    """They stand still meanwhile."""
    try:
        for pid in pids:
            freeze(pid)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _statuses(pid: int) -> Iterator[str]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            yield (thread / "status").read_text()
