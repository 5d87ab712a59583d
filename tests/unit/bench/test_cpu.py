"""CPU time of processes, from /proc."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.bench.cpu import Steal, seconds_used

_BURN = "import time; end = time.process_time() + {}\nwhile time.process_time() < end: pass"
_PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
print(flush=True)
input()
"""


def test_what_a_child_used_counts_for_its_parent_after_it_has_ended() -> None:
    command = [sys.executable, "-c", _PARENT, _BURN.format(0.3)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        used = seconds_used([parent.pid])
        parent.kill()
    assert 0.3 <= used < 2.0


def test_what_a_running_child_uses_counts_for_its_parent() -> None:
    before = seconds_used([os.getpid()])
    with subprocess.Popen([sys.executable, "-c", _BURN.format(30)]) as child:
        give_up = time.monotonic() + 20
        while (used := seconds_used([os.getpid()]) - before) < 0.2 and time.monotonic() < give_up:
            time.sleep(0.02)
        child.kill()
    assert used >= 0.2


def test_a_process_that_is_gone_counts_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert seconds_used([child.pid]) == 0


def test_steal_is_a_share() -> None:
    assert 0 <= Steal().share() <= 1
