"""The client for the gateway: py-amqp's socket in the asyncio loop, dialled in a thread, read when
readable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import amqp
import msgspec
from pydantic import BaseModel

from services.chassis.aio_link import AsyncLink
from services.chassis.calls import (
    Asked,
    Attempts,
    Measured,
    ask,
    judge,
    message_of,
    require_key,
    without_deadline,
)
from services.chassis.deadline import Deadline
from services.chassis.dial import Attachment
from services.chassis.formats import Format, Sealed
from services.chassis.replies import LOOK_EVERY, Replies
from services.chassis.sealing import Keyring
from services.chassis.wire import Connection, watch_returns
from services.contracts.caller import SignedCaller
from services.contracts.errors import ConcordatError, DeadlineExpired, LinkDown

Answer = asyncio.Future[amqp.Message]


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
        self._patience, self._deadlines = patience, deadlines
        self._speak: Format = speak or Sealed(Keyring(keys_dir, name))
        self._replies: Replies[Answer] = Replies(name, _answer, _fail)
        self._channel: amqp.Channel | None = None
        self._sweeper: asyncio.Task[None] | None = None

        def link(role: str, setup: Callable[[Connection], None]) -> AsyncLink:
            attachment = Attachment(setup, self._replies.lost)
            return AsyncLink(
                urls, role, label=f"{label or name}-{role}", heartbeat=heartbeat, attachment=attachment
            )

        self._consuming = link("consuming", self._replies.listen)
        self._publishing = link("publishing", self._open_channel)

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
        if not self._deadlines:
            asked = without_deadline(asked)
        with Measured(asked):
            return judge(asked, self._speak, await self._reply_to_one(asked))

    async def command(
        self, service: str, method: str, request: BaseModel | None = None, *, key: str, **more: Any
    ) -> Any:
        """Tell. `key` MUST be the same whenever the same command is given again."""
        return await self.call(service, method, request, key=require_key(key), **more)

    async def _reply_to_one(self, asked: Asked) -> amqp.Message:
        attempts = Attempts(asked.deadline, asked.route, asked.call.request_id)
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
        if self._channel is None:
            raise LinkDown
        reply_to, pending = self._replies.address, self._replies.pending
        waiting = pending.add(asked.target, until, asyncio.get_running_loop().create_future())
        try:
            body, properties = message_of(asked, self._speak, waiting, reply_to)
            self._publishing.publish(self._channel, asked.route, body, properties)
            return await waiting.waiter
        finally:
            pending.take(waiting.id)

    def _open_channel(self, connection: Connection) -> None:
        channel = connection.channel()
        watch_returns(channel, self._replies.returned)
        self._channel = channel

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self._replies.look_over()


def _answer(waiting: Answer, message: amqp.Message) -> None:
    if not waiting.done():  # else its caller was cancelled
        waiting.set_result(message)


def _fail(waiting: Answer, problem: ConcordatError) -> None:
    if not waiting.done():
        waiting.set_exception(problem)
