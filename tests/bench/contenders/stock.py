"""Stock nameko 2.14.1 with its defaults, unsealed, its callers unproved.

    python -m tests.bench.contenders.stock server|client|standalone URL

`client` is a service that calls another with `RpcProxy`. `standalone` is `ClusterRpcProxy` in a process
without eventlet, with `call_async` where several calls are on their way.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.bench.contenders.echo import PATIENCE, TEXT
from tests.bench.turns import Played, Turn, played, take_turns
from tests.waiting import until

AN_HOUR = 3600.0


def serve(url: str) -> None:
    """Answer for ever."""
    import eventlet

    eventlet.monkey_patch()
    from nameko.rpc import rpc
    from nameko.runners import ServiceRunner

    class StockEcho:
        name = "bench_stock"

        @rpc
        def say(self, text: str) -> str:
            return text

    runner = ServiceRunner({"AMQP_URI": url})
    runner.add_service(StockEcho)
    runner.start()
    runner.wait()


def wait_for_server(say: Callable[[str], str]) -> None:
    from nameko.exceptions import UnknownService

    def answers() -> bool:
        try:
            return say(TEXT) == TEXT
        except UnknownService:
            return False

    until(answers, PATIENCE, every=0.1)


def call_from_service(url: str) -> None:
    """Greenlets of a nameko service; its proxy is theirs to share."""
    import eventlet

    eventlet.monkey_patch()
    from nameko.containers import ServiceContainer
    from nameko.rpc import RpcProxy
    from nameko.testing.services import dummy, entrypoint_hook

    from tests.bench.contenders.turns_green import play_in_greenlets, take_turns

    class StockCaller:
        name = "bench_stock_caller"
        bench_stock = RpcProxy("bench_stock")

        @dummy
        def play(self) -> None:
            say = self.bench_stock.say
            wait_for_server(say)
            take_turns(lambda turn: play_in_greenlets(turn, lambda: say(TEXT)))

    container = ServiceContainer(StockCaller, {"AMQP_URI": url})
    container.start()
    with entrypoint_hook(container, "play", timeout=AN_HOUR) as run:
        run()
    container.stop()


class Standalone:
    def __init__(self, say: Any) -> None:
        self._say = say

    def play(self, turn: Turn) -> Played:
        """One thread; an answer is looked at when those before it are there."""
        latencies: list[float] = []
        waiting: deque[tuple[float, Any]] = deque()
        now = began = time.perf_counter()
        end = began + turn.seconds
        while now < end or waiting:
            while now < end and len(waiting) < turn.outstanding:
                waiting.append((time.perf_counter(), self._say.call_async(TEXT)))
            sent, reply = waiting.popleft()
            assert reply.result() == TEXT
            now = time.perf_counter()
            latencies.append(now - sent)
        return played(latencies, now - began)


def call_standalone(url: str) -> None:
    from nameko.standalone.rpc import ClusterRpcProxy

    with ClusterRpcProxy({"AMQP_URI": url}, timeout=PATIENCE) as cluster:
        say = cluster.bench_stock.say
        wait_for_server(say)
        take_turns(Standalone(say).play, sys.stdin, sys.stdout)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # nameko closes channels whose confirms are still on their way
    {"server": serve, "client": call_from_service, "standalone": call_standalone}[sys.argv[1]](sys.argv[2])
