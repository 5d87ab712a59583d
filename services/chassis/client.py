"""The client for services: a call waits in its greenlet, nothing else waits with it."""

from __future__ import annotations

import time
from typing import Any

import amqp
import eventlet
from eventlet.event import Event
from nameko.containers import WorkerContext
from nameko.extensions import DependencyProvider, SharedExtension
from pydantic import BaseModel

from services.chassis import metrics
from services.chassis.bus import Bus
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
from services.chassis.formats import EXCHANGE, Format
from services.chassis.link import Link
from services.chassis.pending import Pending
from services.chassis.wire import Connection
from services.contracts.caller import SignedCaller
from services.contracts.errors import ConcordatError, DeadlineExpired, LinkDown, Unavailable, UnknownService

LOOK_EVERY = 0.02
"""Seconds between looks for attempts whose time is up."""


class GreenCalls:
    """Calls over one consuming and one publishing link. Attach before the links start."""

    def __init__(
        self, name: str, consuming: Link, publishing: Link, speak: Format, *, deadlines: bool = True
    ) -> None:
        self._name, self._consuming, self._publishing, self._speak = name, consuming, publishing, speak
        self._deadlines = deadlines
        self._pending: Pending[Event] = Pending()
        self._reply_to: str | None = None
        self._sweeper: Any = None
        consuming.attach(self._listen, self._lost)
        publishing.attach(lambda connection: None, self._lost)
        publishing.watch_returns(self._on_return)

    def start(self) -> None:
        self._sweeper = self._sweeper or eventlet.spawn(self._sweep)

    def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.kill()

    def call(self, asked: Asked) -> Any:
        """Return the answer or raise its error, by the deadline at the latest."""
        if not self._deadlines:
            asked = without_deadline(asked)
        started, outcome = time.perf_counter(), "stopped"
        try:
            result = self._until_answered(asked)
            outcome = "ok"
            return result
        except ConcordatError as problem:
            outcome = problem.code
            raise
        finally:
            metrics.call_made(asked.route, outcome, time.perf_counter() - started)

    def _until_answered(self, asked: Asked) -> Any:
        attempts = Attempts(asked.deadline)
        while True:
            try:
                message = self._attempt(asked, attempts.next_until())
            except (DeadlineExpired, LinkDown) as problem:
                attempts.after(problem)
                eventlet.sleep(LOOK_EVERY)
            else:
                return judge(asked, self._speak, message)

    def _attempt(self, asked: Asked, until: float) -> amqp.Message:
        self._wait_for_links(until)
        reply_to = self._reply_to
        if reply_to is None:
            raise LinkDown
        waiting = self._pending.add(asked.target, until, Event())
        try:
            body, properties = message_of(asked, self._speak, waiting, reply_to)
            self._publishing.publish(EXCHANGE, asked.route, body, properties, mandatory=True)
            message: amqp.Message = waiting.waiter.wait()
            return message
        finally:
            self._pending.take(waiting.id)

    def _wait_for_links(self, until: float) -> None:
        for link in (self._publishing, self._consuming):
            if not link.up and not link.wait_up(until - time.time()):
                raise DeadlineExpired(cause=f"{link.name} is down")
        if self._publishing.blocked:
            raise Unavailable(cause="the broker blocks publishers")

    def _listen(self, connection: Connection) -> None:
        self._reply_to = listen_for_replies(connection, self._name, self._on_reply)

    def _on_reply(self, message: amqp.Message) -> None:
        attempt = self._pending.take(message.properties.get("correlation_id", ""))
        if attempt is not None:
            attempt.waiter.send(message)

    def _on_return(self, correlation_id: str) -> None:
        self._fail(correlation_id, UnknownService())

    def _fail(self, correlation_id: str, problem: ConcordatError) -> None:
        attempt = self._pending.take(correlation_id)
        if attempt is not None:
            attempt.waiter.send_exception(problem)

    def _lost(self) -> None:
        for attempt in self._pending.all():
            attempt.waiter.send_exception(LinkDown(cause="lost while waiting"))

    def _sweep(self) -> None:
        while True:
            eventlet.sleep(LOOK_EVERY)
            for attempt in self._pending.overdue():
                attempt.waiter.send_exception(DeadlineExpired())


class CallClient(SharedExtension):  # type: ignore[misc]
    """The one client of a process."""

    bus = Bus()

    def setup(self) -> None:
        settings = self.bus.settings
        self.patience = settings.call_timeout
        self.calls = GreenCalls(
            self.container.service_name,
            self.bus.consuming,
            self.bus.publishing,
            self.bus.speak,
            deadlines="no_deadline" not in settings.faults,
        )

    def start(self) -> None:
        self.calls.start()

    def stop(self) -> None:
        self.calls.stop()


class Peer:
    """Another service, as a handler sees it: `self.mirror.call("get_mirror", GetMirror(...),
    reply=MirrorState)`."""

    def __init__(self, service: str, client: CallClient) -> None:
        self._service, self._client = service, client

    def call(
        self,
        method: str,
        request: BaseModel | None = None,
        *,
        reply: type[BaseModel] | None = None,
        caller: SignedCaller | None = None,
        **kwargs: Any,
    ) -> Any:
        """Ask. Raises what the callee raises, or a kind of Unavailable, within the deadline of the call being
        served."""
        return self._call(method, request, kwargs, reply=reply, caller=caller)

    def command(
        self,
        method: str,
        request: BaseModel | None = None,
        *,
        key: str,
        reply: type[BaseModel] | None = None,
        caller: SignedCaller | None = None,
        **kwargs: Any,
    ) -> Any:
        """Tell. `key` MUST be the same whenever the same command is given again."""
        return self._call(method, request, kwargs, reply=reply, caller=caller, key=require_key(key))

    def _call(self, method: str, request: BaseModel | None, kwargs: dict[str, Any], **how: Any) -> Any:
        route, patience = f"{self._service}.{method}", self._client.patience
        return self._client.calls.call(ask(route, request, kwargs=kwargs, patience=patience, **how))


class Remote(DependencyProvider):  # type: ignore[misc]
    """Injects a `Peer`."""

    client = CallClient()

    def __init__(self, service: str) -> None:
        self.service = service

    def get_dependency(self, worker_ctx: WorkerContext) -> Peer:
        return Peer(self.service, self.client)
