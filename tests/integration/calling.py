"""Callers that do not wait themselves, instances that can be killed, and an ear on the broker."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from struct import unpack_from
from typing import Any

import amqp

from services.chassis import context
from services.chassis.aio import AsyncCalls
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.topology import CALLS
from services.contracts.errors import ConcordatError
from tests.cell import Parts
from tests.eventlet_process import ChildProcess
from tests.integration.running_services import Operator, ServiceProcess
from tests.waiting import until

ECHO, MIRROR = "services.echo.service:EchoService", "services.mirror.service:MirrorService"
TRIED = "tests.integration.tried_service:TriedService"
ONCE = "tests.integration.tried_service:OnceService"


class Calling:
    """The asyncio client of one service, in a thread of its own."""

    def __init__(self, parts: Parts, name: str = "gateway", **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.calls: AsyncCalls = self._soon(self._make(parts, name, options)).result(10)
        until(lambda: self.calls.ready, seconds=20)

    def __enter__(self) -> Calling:
        return self

    def __exit__(self, *_: object) -> None:
        self._soon(self.calls.stop()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def begin(self, route: str, request: Any = None, *, seconds: float = 10, **more: Any) -> Future[Any]:
        """Ask `service.method`, and do not wait."""
        service, _, method = route.partition(".")
        return self._soon(self._call(service, method, request, seconds, more))

    def ask(self, route: str, request: Any = None, *, seconds: float = 10, **more: Any) -> Any:
        """Ask, wait, and return the answer or raise its error."""
        return self.begin(route, request, seconds=seconds, **more).result(seconds + 10)

    def code(self, route: str, request: Any = None, **more: Any) -> str:
        """How asking ends: "ok" or an error's code."""
        return ending(self.begin(route, request, **more))

    async def _call(
        self, service: str, method: str, request: Any, seconds: float, more: dict[str, Any]
    ) -> Any:
        deadline = Deadline.after(seconds)
        if traceparent := more.pop("traceparent", None):
            context.enter(Context(uuid.uuid4().hex, deadline, traceparent))
        return await self.calls.call(service, method, request, deadline=deadline, **more)

    async def _make(self, parts: Parts, name: str, options: dict[str, Any]) -> AsyncCalls:
        calls = AsyncCalls([parts.rabbitmq_url(name)], name, parts.keys_dir, **options)
        await calls.start()
        return calls

    def _soon(self, coroutine: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


def ending(call: Future[Any]) -> str:
    """ "ok", or the code of the error with which a call ends."""
    try:
        call.result(60)
    except ConcordatError as problem:
        return problem.code
    return "ok"


class Instance(ServiceProcess):
    """A service process that may die."""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def terminate(self) -> None:
        """As a supervisor ends it; does not wait."""
        self._process.terminate()

    def exit_code(self, seconds: float = 20) -> int:
        return self._process.wait(seconds)

    def count(self, event: str) -> int:
        """How many lines of the log are of this event."""
        return self.log.read_text().count(f'"event": "{event}"')


@contextmanager
def instances(parts: Parts, folder: Path, *paths: str, **settings: str) -> Iterator[list[Instance]]:
    """A process of the service class at each path, all ready; ended afterwards."""
    with ExitStack() as stack:
        started = []
        for path in paths:
            module, _, cls = path.partition(":")
            service = getattr(import_module(module), cls).name
            name = f"{service}-{uuid.uuid4().hex[:6]}"
            more = {"CONCORDAT_INSTANCE": name, **settings}
            started.append(Instance(parts, service, path, folder / f"{name}.log", **more))
            stack.callback(started[-1].end)
        for process in started:
            process.wait_ready()
        yield started


@contextmanager
def green_client(parts: Parts, folder: Path, seconds: float) -> Iterator[Callable[[], list[Any]]]:
    """A greenlet client that calls without end; what is given ends it and returns [code, seconds] for each
    call."""
    stop = folder / "stop"
    with ChildProcess(
        "tests.integration.green_children:call_until",
        url=parts.rabbitmq_url("gateway"),
        keys_dir=str(parts.keys_dir),
        route="tried.record",
        seconds=seconds,
        stop=str(stop),
    ) as child:

        def end() -> list[Any]:
            stop.touch()
            return list(child.result())

        yield end


class Ear(Operator):
    """The operator, who may also listen to everything that passes."""

    def listen(self, exchange: str = CALLS) -> str:
        """Have a copy of every message of an exchange from now on; the queue that has them."""
        name, _, _ = self._channel.queue_declare("", exclusive=True, auto_delete=True)
        self._channel.queue_bind(name, exchange, "#")
        return str(name)

    def taken(self, queue: str) -> list[amqp.Message]:
        """What is in a queue, which is empty then."""
        found = []
        while (message := self._channel.basic_get(queue, no_ack=True)) is not None:
            found.append(message)
        return found

    def refused(self, queue: str, body: bytes, count: int) -> list[amqp.Message]:
        """The dead letters of requests with this body, once there are so many: they keep its hash only."""
        digest, found = hashlib.sha256(body).hexdigest(), list[amqp.Message]()

        def look() -> bool:
            found.extend(one for one in self.taken(queue) if one.headers.get("x-sha256") == digest)
            return len(found) >= count

        until(look)
        return found

    def heard(self, queue: str, text: bytes, count: int = 1) -> list[amqp.Message]:
        """The messages with `text` in their body, once there are so many in a queue."""
        found: list[amqp.Message] = []

        def look() -> bool:
            found.extend(message for message in self.taken(queue) if text in message.body)
            return len(found) >= count

        until(look)
        return found

    def put_back(self, queue: str) -> bool:
        """Take one message as a consumer that dies would; False if there is none."""
        message = self._channel.basic_get(queue)
        if message is not None:
            self._channel.basic_reject(message.delivery_tag, requeue=True)
        return message is not None

    def consumers(self, queue: str) -> int:
        return int(self._channel.queue_declare(queue, passive=True)[2])


@dataclass(frozen=True, slots=True)
class Seal:
    """What anybody can read of a sealed body: for whom, with which keys, until when."""

    sender: str
    senders_kid: str
    receivers_kid: str
    millis: int

    @classmethod
    def of(cls, body: bytes) -> Seal:
        size = body[1]
        kids = body[2 + size : 10 + size]
        (millis,) = unpack_from(">Q", body, 2 + size + 8 + 16 + 8)
        return cls(body[2 : 2 + size].decode(), kids[:4].hex(), kids[4:].hex(), millis)


class Clock:
    """`with Clock() as clock: ...`, then `clock.seconds`."""

    seconds = 0.0

    def __enter__(self) -> Clock:
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
