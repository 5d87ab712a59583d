"""Service processes, the operator's hand on the broker, and a client: what the tests of events work with."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import amqp

from deploy.launcher import ports
from services.chassis.aio import AsyncCalls
from services.chassis.deadline import Deadline
from services.contracts.echo import NOTE_CHANGED, ChangeNote, GetMirror, MirrorState, NoteChanged, NoteVersion
from services.contracts.envelope import MEDIA_TYPE, Event
from services.contracts.errors import Unavailable
from tests.cell import Parts
from tests.freezing import freeze
from tests.integration.overhearing import operator_connection
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent


class ServiceProcess:
    """One instance of a service, started as production starts it."""

    def __init__(self, parts: Parts, service: str, path: str, log: Path, **settings: str) -> None:
        self.port, self.log, self.instance = ports.free(), log, settings.get("CONCORDAT_INSTANCE", "")
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "services.chassis.runner", path],
                cwd=ROOT,
                env={
                    **os.environ,
                    **parts.environment(service),
                    "CONCORDAT_HTTP_PORT": str(self.port),
                    **settings,
                },
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self) -> None:
        until(lambda: self._get("readyz") is not None, seconds=30)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = (self._get("metrics") or "").splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"concordat_{name}"))

    def said(self, event: str) -> bool:
        """The log has a line of this event."""
        return f'"event": "{event}"' in self.log.read_text()

    def pause(self) -> None:
        freeze(self._process.pid)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=2) as answer:
                return str(answer.read().decode())
        except (OSError, urllib.error.URLError):
            return None


@contextmanager
def services(
    parts: Parts, folder: Path, *wanted: str, settings: dict[str, str] | None = None
) -> Iterator[list[ServiceProcess]]:
    """The wanted instances ("echo", "mirror", "fussy"), ready; ended afterwards."""
    paths = {
        "echo": ("echo", "services.echo.service:EchoService"),
        "mirror": ("mirror", "services.mirror.service:MirrorService"),
        "fussy": ("mirror", "tests.integration.fussy_mirror:FussyMirror"),
    }
    with ExitStack() as stack:
        started = []
        for number, name in enumerate(wanted):
            service, path = paths[name]
            instance = f"{name}-{number}-{uuid.uuid4().hex[:6]}"
            more = {"CONCORDAT_INSTANCE": instance, **(settings or {})}
            process = ServiceProcess(parts, service, path, folder / f"{instance}.log", **more)
            stack.callback(process.end)
            started.append(process)
        for process in started:
            process.wait_ready()
        yield started


class Operator:
    """Publishes what it likes, reads dead letters, unbinds and binds."""

    def __init__(self, parts: Parts) -> None:
        self._connection = operator_connection(parts)
        self._channel = self._connection.channel()
        self._channel.auto_decode = False
        self._channel.confirm_select()
        self._dead: list[amqp.Message] = []

    def close(self) -> None:
        self._connection.close()

    def emit(self, note: str, number: int, *, headers: dict[str, Any] | None = None) -> Event:
        """An event of echo's, as its relay would publish it."""
        event = Event.of(
            "echo", NOTE_CHANGED, f"notes/{note}", number, NoteChanged(note_id=note), now=datetime.now(UTC)
        )
        self.publish(event.to_json(), headers=headers)
        return event

    def publish(
        self,
        body: bytes,
        *,
        exchange: str = "echo.events",
        key: str = NOTE_CHANGED,
        headers: dict[str, Any] | None = None,
        **properties: Any,
    ) -> None:
        properties = {"content_type": MEDIA_TYPE, "delivery_mode": 2, **properties}
        if headers:
            properties["application_headers"] = headers
        self._channel.basic_publish_confirm(amqp.Message(body, **properties), exchange, key)

    def replay(self, letter: amqp.Message) -> None:
        """What `concordat queues replay` does with a dead event."""
        self.publish(letter.body, exchange="mirror.retries", key=letter.headers["x-queue"])

    def dead(self, text: str) -> list[amqp.Message]:
        """The dead letters of `mirror` so far whose body holds `text`."""
        while (message := self._channel.basic_get("dead-mirror", no_ack=True)) is not None:
            self._dead.append(message)
        return [letter for letter in self._dead if text.encode() in letter.body]

    def declare(self, queue: str, arguments: dict[str, Any] | None = None) -> None:
        self._channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)

    def delete(self, queue: str) -> None:
        self._channel.queue_delete(queue)

    def bind(self, bound: bool) -> None:
        """Bind mirror's queue to echo's events, or unbind it."""
        act = self._channel.queue_bind if bound else self._channel.queue_unbind
        act("evt-echo--mirror", "echo.events", "#")


class Client:
    """The gateway's calls, for tests that do not wait themselves."""

    def __init__(self, parts: Parts) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._calls: AsyncCalls = self._run(self._make(parts))
        until(lambda: self._calls.ready)

    def close(self) -> None:
        self._run(self._calls.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def change(self, note: str, key: str | None = None, times: int = 1) -> list[int]:
        """Give a command `times` times at once with one key, each until it is answered; the versions told."""
        key = key or uuid.uuid4().hex
        return list(self._run(self._all([self._change(note, key) for _ in range(times)])))

    def followed(self, note: str) -> MirrorState:
        found: MirrorState = self._run(
            self._calls.call("mirror", "get_mirror", GetMirror(note_id=note), reply=MirrorState)
        )
        return found

    async def _make(self, parts: Parts) -> AsyncCalls:
        calls = AsyncCalls([parts.rabbitmq_url("gateway")], "gateway", parts.keys_dir)
        await calls.start()
        return calls

    async def _all(self, each: list[Coroutine[Any, Any, int]]) -> list[int]:
        return await asyncio.gather(*each)

    async def _change(self, note: str, key: str) -> int:
        patience = Deadline.after(30)
        while True:
            try:
                told = await self._calls.call(
                    "echo", "change_note", ChangeNote(note_id=note, text="text"), key=key, reply=NoteVersion
                )
                return int(told.version)
            except Unavailable:
                if patience.expired:
                    raise
                await asyncio.sleep(0.05)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)
