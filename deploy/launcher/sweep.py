"""Finds and ends the processes of a cell without its supervisor: by their own pid, known by the mark they
carry.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from deploy.launcher.places import MARK

PROC = Path("/proc")


class Found(NamedTuple):
    pid: int
    name: str
    """The program's file name, such as beam.smp."""


def marked(root: Path) -> list[Found]:
    """Every live process that belongs to the cell under `root`."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit() and _is_ours(folder, root):
            with suppress(OSError):
                found.append(Found(int(folder.name), (folder / "comm").read_text().strip()))
    return found


def end(root: Path, seconds: float) -> list[Found]:
    """End every process of the cell: politely, and after `seconds` by force. Returns what there was."""
    there = marked(root)
    _signal_all(there, root, signal.SIGTERM if seconds > 0 else signal.SIGKILL)
    # A stopped process does not hear SIGTERM before it continues.
    _signal_all(there, root, signal.SIGCONT)
    wait_until_gone(root, seconds)
    while left := marked(root):
        _signal_all(left, root, signal.SIGKILL)
        wait_until_gone(root, 0.2)
    return there


def _is_ours(folder: Path, root: Path) -> bool:
    """A process that has ended and waits to be collected has no environment left, and is not meant."""
    try:
        variables = (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"{MARK}={root}".encode() in variables


def _signal_all(processes: Iterable[Found], root: Path, number: signal.Signals) -> None:
    """Through a descriptor, which a pid that was given to another process meanwhile cannot fool."""
    for process in processes:
        with suppress(ProcessLookupError, OSError):
            descriptor = os.pidfd_open(process.pid)
            try:
                if _is_ours(PROC / str(process.pid), root):
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)


def wait_until_gone(root: Path, seconds: float) -> None:
    """Return when no process of the cell is left, or the time is over."""
    until = time.monotonic() + seconds
    while marked(root) and time.monotonic() < until:
        time.sleep(0.02)
