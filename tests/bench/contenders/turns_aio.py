"""Taking turns inside an asyncio loop."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.bench.turns import READY, Played, Turn, parse_turn, played, write


async def take_turns(play: Callable[[Turn], Awaitable[Any]]) -> None:
    """Say that the client is ready, then play until there are no more turns.

    What a turn came to is a dataclass.
    """
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print(READY, flush=True)
    while line := await lines.readline():
        write(sys.stdout, await play(parse_turn(line.decode())))


async def play_in_tasks(turn: Turn, call: Callable[[], Awaitable[None]]) -> Played:
    """As many tasks as calls may be outstanding, each calling again as soon as it is answered."""
    latencies: list[float] = []
    began = time.perf_counter()
    end = began + turn.seconds

    async def keep_calling() -> None:
        before = time.perf_counter()
        while before < end:
            await call()
            now = time.perf_counter()
            latencies.append(now - before)
            before = now

    await asyncio.gather(*(keep_calling() for _ in range(turn.outstanding)))
    return played(latencies, time.perf_counter() - began)
