"""Twenty clients that read and write through the gateway, and write down what they asked and were told."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.faults.browser import Answer, Broken, Browser, NoAnswer
from tests.faults.history import LOST_CONNECTION, Exchange, Kind

CLIENTS = 20
PAUSE = 0.25
"""Seconds between the requests of one client: 80 requests a second in all leave two cores room."""
PATIENCE = 12.0
"""Seconds after which a client stops looking: more than the five promised, so that a hang is seen as one."""
COMMANDS_SHARE, SAYINGS_SHARE, READS_SHARE = 0.4, 0.2, 0.2
SHARED_NOTES = 5
SHARED_NOTES_SHARE = 0.3
AGAIN_AFTER = 0.2
"""Seconds before a command without an outcome is given again."""

Clock = Callable[[], float]


class Client:
    """One client. Commands are given again, with the same key, until their outcome is known."""

    def __init__(
        self,
        number: int,
        run: str,
        host: str,
        port: int,
        *,
        pause: float = PAUSE,
        clock: Clock = time.monotonic,
    ) -> None:
        self._number, self._run, self._pause, self._clock = number, run, pause, clock
        self._browser = Browser(host, port, PATIENCE)
        self._chance = random.Random(f"{run}-{number}")
        self._counter = itertools.count(1)
        self.exchanges: list[Exchange] = []

    async def work(self, stopping: asyncio.Event, giving_up: asyncio.Event) -> None:
        """Ask until `stopping`; a command that has no outcome by then is given again until `giving_up`."""
        at = self._clock() + self._chance.random() * self._pause
        while not stopping.is_set():
            await asyncio.sleep(max(0.0, at - self._clock()))
            at = max(at + self._pause, self._clock())
            await self._one(giving_up)
        self._browser.close()

    async def _one(self, giving_up: asyncio.Event) -> None:
        note, chance = self._note(), self._chance.random()
        if chance < COMMANDS_SHARE:
            await self._command(note, giving_up)
        elif chance < COMMANDS_SHARE + SAYINGS_SHARE:
            text = f"{self._number} {next(self._counter)}"
            await self._exchange(
                "say", "POST", "/api/v1/echo/sayings", {"text": text}, expected={"text": text}
            )
        elif chance < COMMANDS_SHARE + SAYINGS_SHARE + READS_SHARE:
            await self._exchange("get", "GET", f"/api/v1/echo/notes/{note}", note=note)
        else:
            await self._exchange("mirror", "GET", f"/api/v1/echo/notes/{note}/mirror", note=note)

    def _note(self) -> str:
        if self._chance.random() < SHARED_NOTES_SHARE:
            return f"{self._run}-shared-{self._chance.randrange(SHARED_NOTES)}"
        return f"{self._run}-{self._number}"

    async def _command(self, note: str, giving_up: asyncio.Event) -> None:
        key = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        path, body = f"/api/v1/echo/notes/{note}/changes", {"text": f"change {next(self._counter)}"}
        while not giving_up.is_set():
            told = await self._exchange("change", "POST", path, body, note=note, key=key)
            if told.good or told.refused:
                return
            await asyncio.sleep(AGAIN_AFTER * self._chance.uniform(0.5, 1.5))

    async def _exchange(
        self,
        kind: Kind,
        method: str,
        path: str,
        body: Any = None,
        *,
        note: str = "",
        key: str = "",
        expected: dict[str, str] | None = None,
    ) -> Exchange:
        began, answer, ended = self._clock(), None, None
        try:
            answer = await self._browser.ask(method, path, body, {"Idempotency-Key": key} if key else None)
            ended = self._clock()
        except Broken:
            ended = self._clock()
        except NoAnswer:
            ended = None
        exchange = _exchange(
            self._number, kind, note, key, began, ended, answer, expected or {"note_id": note}
        )
        self.exchanges.append(exchange)
        return exchange


def _exchange(
    client: int,
    kind: Kind,
    note: str,
    key: str,
    began: float,
    ended: float | None,
    answer: Answer | None,
    expected: dict[str, str],
) -> Exchange:
    if answer is None or not 200 <= answer.status < 300:
        status = LOST_CONNECTION if answer is None else answer.status
        return Exchange(client, kind, began, ended, status, note, key)
    told = answer.body if isinstance(answer.body, dict) else {}
    return Exchange(
        client,
        kind,
        began,
        ended,
        answer.status,
        note,
        key,
        told.get("version"),
        told.get("applied"),
        crossed=any(told.get(name) != value for name, value in expected.items()),
    )


class Workload:
    """All clients, on a thread of their own: what breaks and mends parts meanwhile may block."""

    def __init__(
        self, run: str, host: str, port: int, *, clients: int = CLIENTS, pause: float = PAUSE
    ) -> None:
        self._clients = [Client(number, run, host, port, pause=pause) for number in range(clients)]
        self._loop = asyncio.new_event_loop()
        self._stopping, self._giving_up = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._main, name=f"workload {run}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> tuple[Exchange, ...]:
        """Ask nothing new, give commands at most `seconds` to their outcome, and return what happened."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._giving_up.set)
            self._thread.join(PATIENCE + 5)
        return tuple(sorted(self.so_far(), key=lambda exchange: exchange.began))

    def so_far(self) -> list[Exchange]:
        """Every finished exchange, client by client."""
        return [exchange for client in self._clients for exchange in list(client.exchanges)]

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        await asyncio.gather(*(client.work(self._stopping, self._giving_up) for client in self._clients))
