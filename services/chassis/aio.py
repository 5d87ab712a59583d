"""The client for the gateway: py-amqp's socket in the asyncio loop, dialled in a thread, read when
readable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import amqp
import msgspec
from pydantic import BaseModel

from services.chassis import metrics
from services.chassis.aio_link import AsyncLink
from services.chassis.calls import (
    Asked,
    Attempts,
    ask,
    judge,
    listen_for_replies,
    message_of,
    require_key,
    without_deadline,
)
from services.chassis.deadline import Deadline
from services.chassis.dial import Attachment
from services.chassis.formats import Format, Sealed
from services.chassis.pending import Pending
from services.chassis.sealing import Keyring
from services.chassis.wire import Connection, watch_returns
from services.contracts.caller import SignedCaller
from services.contracts.errors import ConcordatError, DeadlineExpired, LinkDown, UnknownService

LOOK_EVERY = 0.02


class AsyncCalls:
    """Calls from an asyncio process. One per process; start it inside the loop."""

    def __init__(
        self,
        urls: Sequence[str],
        name: str,
        keys_dir: Path,
        *,
        patience: float = 4.0,
        heartbeat: float = 4.0,
        label: str = "",
        speak: Format | None = None,
        deadlines: bool = True,
    ) -> None:
        self._name, self._patience, self._deadlines = name, patience, deadlines
        self._speak: Format = speak or Sealed(Keyring(keys_dir, name))
        self._pending: Pending[asyncio.Future[amqp.Message]] = Pending()
        self._reply_to: str | None = None
        self._channel: amqp.Channel | None = None
        self._sweeper: asyncio.Task[None] | None = None
        label = label or name
        self._consuming = AsyncLink(
            urls,
            "consuming",
            label=f"{label}-consuming",
            heartbeat=heartbeat,
            attachment=Attachment(self._listen, self._lost),
        )
        self._publishing = AsyncLink(
            urls,
            "publishing",
            label=f"{label}-publishing",
            heartbeat=heartbeat,
            attachment=Attachment(self._open_channel, self._lost),
        )

    async def start(self) -> None:
        """Begin to connect; returns at once."""
        self._consuming.start()
        self._publishing.start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._consuming.stop()
        await self._publishing.stop()

    @property
    def ready(self) -> bool:
        return self._consuming.up and self._publishing.up and not self._publishing.blocked

    async def call(
        self,
        service: str,
        method: str,
        request: BaseModel | msgspec.Raw | None = None,
        *,
        reply: type[BaseModel] | type[msgspec.Raw] | None = None,
        deadline: Deadline | None = None,
        request_id: str | None = None,
        caller: SignedCaller | None = None,
        key: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Ask. Raises what the callee raises, or a kind of Unavailable, by the deadline at the latest."""
        asked = ask(
            f"{service}.{method}",
            request,
            reply=reply,
            patience=self._patience,
            key=key,
            caller=caller,
            request_id=request_id,
            deadline=deadline,
            kwargs=kwargs,
        )
        return await self._answer(asked if self._deadlines else without_deadline(asked))

    async def command(
        self, service: str, method: str, request: BaseModel | None = None, *, key: str, **more: Any
    ) -> Any:
        """Tell. `key` MUST be the same whenever the same command is given again."""
        return await self.call(service, method, request, key=require_key(key), **more)

    async def _answer(self, asked: Asked) -> Any:
        started, outcome = time.perf_counter(), "stopped"
        try:
            result = judge(asked, self._speak, await self._reply_to_one(asked))
            outcome = "ok"
            return result
        except ConcordatError as problem:
            outcome = problem.code
            raise
        finally:
            metrics.call_made(asked.route, outcome, time.perf_counter() - started)

    async def _reply_to_one(self, asked: Asked) -> amqp.Message:
        attempts = Attempts(asked.deadline)
        while True:
            try:
                return await self._attempt(asked, attempts.next_until())
            except (DeadlineExpired, LinkDown) as problem:
                attempts.after(problem)
                await asyncio.sleep(LOOK_EVERY)

    async def _attempt(self, asked: Asked, until: float) -> amqp.Message:
        for link in (self._publishing, self._consuming):
            if not link.up and not await link.wait_up(until - time.time()):
                raise DeadlineExpired(cause=f"{link.name} is down")
        if self._reply_to is None or self._channel is None:
            raise LinkDown
        future: asyncio.Future[amqp.Message] = asyncio.get_running_loop().create_future()
        waiting = self._pending.add(asked.target, until, future)
        try:
            body, properties = message_of(asked, self._speak, waiting, self._reply_to)
            self._publishing.publish(self._channel, asked.route, body, properties)
            return await future
        finally:
            self._pending.take(waiting.id)

    def _listen(self, connection: Connection) -> None:
        self._reply_to = listen_for_replies(connection, self._name, self._on_reply)

    def _open_channel(self, connection: Connection) -> None:
        channel = connection.channel()
        watch_returns(channel, self._on_return)
        self._channel = channel

    def _on_reply(self, message: amqp.Message) -> None:
        attempt = self._pending.take(message.properties.get("correlation_id", ""))
        if attempt is not None and not attempt.waiter.done():
            attempt.waiter.set_result(message)

    def _on_return(self, correlation_id: str) -> None:
        attempt = self._pending.take(correlation_id)
        if attempt is not None and not attempt.waiter.done():
            attempt.waiter.set_exception(UnknownService())

    def _lost(self) -> None:
        for attempt in self._pending.all():
            if not attempt.waiter.done():
                attempt.waiter.set_exception(LinkDown(cause="lost while waiting"))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for attempt in self._pending.overdue():
                if not attempt.waiter.done():
                    attempt.waiter.set_exception(DeadlineExpired())
