"""Taking turns under eventlet. Import it after patching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.hubs import trampoline

from tests.bench.turns import READY, Played, Turn, parse_turn, played, write


def take_turns(play: Callable[[Turn], Any]) -> None:
    """Say that the client is ready, then play until there are no more turns. Other greenlets run meanwhile.

    What a turn came to is a dataclass.
    """
    print(READY, flush=True)
    while True:
        trampoline(sys.stdin.fileno(), read=True)
        line = sys.stdin.readline()
        if not line:
            return
        write(sys.stdout, play(parse_turn(line)))


def play_in_greenlets(turn: Turn, call: Callable[[], None]) -> Played:
    """As many greenlets as calls may be outstanding, each calling again as soon as it is answered."""
    latencies: list[float] = []
    began = time.perf_counter()
    end = began + turn.seconds

    def keep_calling() -> None:
        before = time.perf_counter()
        while before < end:
            call()
            now = time.perf_counter()
            latencies.append(now - before)
            before = now

    for greenlet in [eventlet.spawn(keep_calling) for _ in range(turn.outstanding)]:
        greenlet.wait()
    return played(latencies, time.perf_counter() - began)
