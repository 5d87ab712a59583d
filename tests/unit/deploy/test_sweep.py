"""What belongs to a cell is ended, even stopped processes; what belongs to another is not touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.launcher import sweep
from deploy.launcher.places import MARK

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"


@contextmanager
def process(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One of the cell under `root`, which does not listen to SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], env={**os.environ, MARK: str(root)}, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()


def test_the_processes_of_a_cell_are_found_by_their_mark(tmp_path: Path) -> None:
    with process(tmp_path) as child:
        assert [found.pid for found in sweep.marked(tmp_path)] == [child.pid]
    assert sweep.marked(tmp_path) == []


def test_one_that_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    with process(tmp_path) as child:
        assert len(sweep.end(tmp_path, 0.2)) == 1
        assert child.wait(5) == -signal.SIGKILL


def test_a_stopped_one_is_ended(tmp_path: Path) -> None:
    with process(tmp_path) as child:
        child.send_signal(signal.SIGSTOP)
        sweep.end(tmp_path, 0.2)
        assert child.wait(5) == -signal.SIGKILL


def test_another_cell_is_left_alone(tmp_path: Path) -> None:
    with process(tmp_path / "another") as child:
        sweep.end(tmp_path, 0.1)
        assert child.poll() is None
