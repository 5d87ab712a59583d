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

from services.chassis.bus import Bus
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
from services.chassis.formats import EXCHANGE, Format
from services.chassis.link import Link
from services.chassis.replies import LOOK_EVERY, Replies
from services.contracts.caller import SignedCaller
from services.contracts.errors import DeadlineExpired, LinkDown, Unavailable


class GreenCalls:
    """Calls over one consuming and one publishing link. Attach before the links start."""

    def __init__(
        self, name: str, consuming: Link, publishing: Link, speak: Format, *, deadlines: bool = True
    ) -> None:
        self._consuming, self._publishing = consuming, publishing
        self._speak, self._deadlines = speak, deadlines
        self._replies: Replies[Event] = Replies(name, Event.send, Event.send_exception)
        self._sweeper: Any = None
        consuming.attach(self._replies.listen, self._replies.lost)
        publishing.attach(lambda connection: None, self._replies.lost)
        publishing.watch_returns(self._replies.returned)

    def start(self) -> None:
        self._sweeper = self._sweeper or eventlet.spawn(self._sweep)

    def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.kill()

    def call(self, asked: Asked) -> Any:
        """Return the answer or raise its error, by the deadline at the latest."""
        if not self._deadlines:
            asked = without_deadline(asked)
        with Measured(asked):
            return judge(asked, self._speak, self._reply_to_one(asked))

    def _reply_to_one(self, asked: Asked) -> amqp.Message:
        attempts = Attempts(asked.deadline, asked.route, asked.call.request_id)
        while True:
            try:
                return self._attempt(asked, attempts.next_until())
            except (DeadlineExpired, LinkDown) as problem:
                attempts.after(problem)
                eventlet.sleep(LOOK_EVERY)

    def _attempt(self, asked: Asked, until: float) -> amqp.Message:
        self._wait_for_links(until)
        reply_to, pending = self._replies.address, self._replies.pending
        waiting = pending.add(asked.target, until, Event())
        try:
            body, properties = message_of(asked, self._speak, waiting, reply_to)
            self._publishing.publish(EXCHANGE, asked.route, body, properties, mandatory=True)
            return waiting.waiter.wait()
        finally:
            pending.take(waiting.id)

    def _wait_for_links(self, until: float) -> None:
        for link in (self._publishing, self._consuming):
            if not link.up and not link.wait_up(until - time.time()):
                raise DeadlineExpired(cause=f"{link.name} is down")
        if self._publishing.blocked:
            raise Unavailable(cause="the broker blocks publishers")

    def _sweep(self) -> None:
        while True:
            eventlet.sleep(LOOK_EVERY)
            self._replies.look_over()


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
