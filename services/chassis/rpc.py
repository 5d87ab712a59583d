"""Entrypoints for calls: `rpc` for queries, `command` for what changes state.

A query is acknowledged on receipt and never runs twice; its caller may ask again, and is told to when the
broker delivers it again all the same: its first delivery may have run, and been recorded. A command is
acknowledged after its answer is sent, so a crash redelivers it (N1); it carries an idempotency key, and
`commands.py` makes a repetition harmless.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol, TypeVar, overload

import amqp
from nameko.containers import WorkerContext
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from services.chassis import metrics, refusals
from services.chassis.bus import Bus
from services.chassis.callers import vouched
from services.chassis.container import CONTEXT
from services.chassis.context import Context
from services.chassis.formats import EXCHANGE, NOT_TAKEN, Incoming
from services.chassis.logs import log
from services.chassis.payload import BODY_LIMIT, Answer, Signature, raw
from services.chassis.wire import Connection, acknowledge
from services.contracts.errors import (
    ConcordatError,
    IdempotencyKeyRequired,
    Internal,
    Malformed,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownMethod,
)

Handler = TypeVar("Handler", bound=Callable[..., Any])

ANYONE: frozenset[str] = frozenset({"*"})
"""For `callers`: whoever has a key on this broker. For the proving ground; a domain method never says it."""


class CallServer(SharedExtension, ProviderCollector):  # type: ignore[misc]
    """Takes requests off `rpc-{service}`, as many at once as there are workers, and sends their answers."""

    bus = Bus()

    def setup(self) -> None:
        settings = self.bus.settings
        self._patience, self._workers = settings.call_timeout, settings.workers
        self._name = self.container.service_name
        self._running = 0
        self._waiting: deque[amqp.Message] = deque()
        self._channel: amqp.Channel | None = None
        self._routes: dict[str, Rpc] = {}
        self._draining = False
        self._dead = refusals.DeadLetters(self.bus.publishing, self._name, f"rpc-{self._name}")
        self.bus.consuming.attach(self._consume, self._lost)

    def stop(self) -> None:
        """Take no more; hand back what has not begun. Workers end by themselves, and their answers still
        leave."""
        self._draining = True
        if self._channel is not None and self._channel.connection is not None:
            self._channel.basic_cancel(self._name, nowait=True)
        while self._waiting:
            self._requeue(self._waiting.popleft())

    def unregister_provider(self, provider: Rpc) -> None:
        self.stop()
        super().unregister_provider(provider)

    def _consume(self, connection: Connection) -> None:
        self._routes = {f"{self._name}.{rpc.method_name}": rpc for rpc in self._providers}
        channel = connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, self._workers, False)
        self._waiting.clear()
        self._channel = channel
        if not self._draining:
            channel.basic_consume(f"rpc-{self._name}", consumer_tag=self._name, callback=self._arrived)

    def _lost(self) -> None:
        self._channel = None
        self._waiting.clear()  # the broker delivers them again, to whoever is there

    def _arrived(self, message: amqp.Message) -> None:
        if self._draining:
            self._requeue(message)
            return
        self._waiting.append(message)
        self._begin_waiting()

    def _begin_waiting(self) -> None:
        while self._waiting and self._running < self._workers:
            message = self._waiting.popleft()
            try:
                self._begin(message)
            except (
                Exception
            ) as problem:  # a defect of ours: without this it would cost the connection each time
                log.error("request_not_begun", exc_info=problem)
                self._put_aside(message, Internal())

    def _put_aside(self, message: amqp.Message, problem: ConcordatError) -> None:
        self._dead.keep(message, problem)
        self._ack(message)

    def _begin(self, message: amqp.Message) -> None:
        """Open, judge and start one request. Runs where frames are read: nothing may wait or escape here."""
        route = message.delivery_info["routing_key"]
        try:
            incoming = self._open(message, route)
        except (Malformed, Unauthenticated) as problem:
            self._put_aside(message, problem)
            return
        if incoming.deadline.expired:
            metrics.call_expired(self._label(route))
            self._ack(message)
            return
        if message.delivery_info.get("redelivered") and self._turned_back(message, incoming):
            return
        try:
            self._start(message, incoming)
        except ContainerBeingKilled:
            self._requeue(message)
        except Exception as problem:
            self._refuse(message, incoming, refusals.public(problem))

    def _open(self, message: amqp.Message, route: str) -> Incoming:
        if len(message.body) > BODY_LIMIT or getattr(message, "oversize", False):
            raise Malformed(cause="too large")
        return self.bus.speak.incoming(message, route, self._patience)

    def _turned_back(self, message: amqp.Message, incoming: Incoming) -> bool:
        """A request that may have run already, and been recorded, its acknowledgement lost. A command runs
        again, and the log says so. A query is turned back: whoever still waits for it asks anew, and says so
        in its log; but who speaks nameko's own form would not know what to make of that."""
        rpc = self._routes.get(incoming.route)
        if rpc is None or incoming.peer is None:
            return False
        if rpc.redelivered:
            log.info("command_delivered_again", method=incoming.route, request_id=incoming.call.request_id)
            return False
        metrics.call_served(incoming.route, NOT_TAKEN)
        self._send(incoming, Answer(error=Unavailable(cause="delivered twice").to_wire()), kind=NOT_TAKEN)
        self._ack(message)
        return True

    def _refuse(self, message: amqp.Message, incoming: Incoming, problem: ConcordatError) -> None:
        log.info("refused", method=self._label(incoming.route), peer=incoming.peer, code=problem.code)
        metrics.call_served(self._label(incoming.route), problem.code)
        self._send(incoming, Answer(error=problem.to_wire()))
        self._ack(message)

    def _label(self, route: str) -> str:
        """Anybody may ask for a route that does not exist: such names stay out of the metrics."""
        return route if route in self._routes else "unknown"

    def _start(self, message: amqp.Message, incoming: Incoming) -> None:
        rpc = self._routes.get(incoming.route)
        if rpc is None:
            raise UnknownMethod
        arguments, context = rpc.accept(incoming, self.bus)
        finish = partial(self._finish, message, incoming, rpc)
        self.container.spawn_worker(rpc, (), arguments, context_data={CONTEXT: context}, handle_result=finish)
        self._running += 1
        if not rpc.redelivered:
            self._ack(message)

    def _finish(
        self,
        message: amqp.Message,
        incoming: Incoming,
        rpc: Rpc,
        _worker: WorkerContext,
        result: Any,
        exc_info: Any,
    ) -> tuple[Any, Any]:
        """Send the answer, then acknowledge: the other way round a crash would lose a command's answer for
        good.

        A command whose answer could not be sent is not run again: its outcome is kept under its key.
        """
        try:
            answer, outcome = _answer(result, exc_info)
            metrics.call_served(incoming.route, outcome)
            if self.bus.publishing.wait_up(incoming.deadline.left()):
                self._send(incoming, answer)
            if rpc.redelivered:
                self._ack(message)
        finally:
            self._running -= 1
            self._begin_waiting()
        return result, exc_info

    def _send(self, incoming: Incoming, answer: Answer, kind: str | None = None) -> None:
        """Hand the answer to the connection. An unsent one is the caller's to miss, and to ask again."""
        try:
            body, properties = self._reply(incoming, answer)
            if kind is not None:
                properties["type"] = kind
            self.bus.publishing.publish(EXCHANGE, incoming.reply_to, body, properties)
        except ConcordatError as problem:
            log.warning("answer_not_sent", method=self._label(incoming.route), code=problem.code)

    def _reply(self, incoming: Incoming, answer: Answer) -> tuple[bytes, dict[str, Any]]:
        try:
            return self.bus.speak.reply(incoming, answer)
        except TooLarge:
            log.error("answer_too_large", method=self._label(incoming.route))
            return self.bus.speak.reply(incoming, Answer(error=Internal().to_wire()))

    def _ack(self, message: amqp.Message) -> None:
        if self._holds(message):
            acknowledge(message)

    def _requeue(self, message: amqp.Message) -> None:
        if self._holds(message):
            message.channel.basic_reject(message.delivery_tag, requeue=True)

    def _holds(self, message: amqp.Message) -> bool:
        """Its channel still is there; if not, the broker has taken the message back."""
        channel = self._channel
        return channel is not None and message.channel is channel and channel.connection is not None


def _answer(result: Any, exc_info: Any) -> tuple[Answer, str]:
    """What to tell the caller, and the outcome's code."""
    if exc_info is None:
        try:
            return Answer(result=raw(result)), "ok"
        except Exception as problem:  # a handler that returns what JSON cannot say
            log.error("answer_not_made", exc_info=problem)
            public: ConcordatError = Internal()
    else:
        public = refusals.public(exc_info[1])
    return Answer(error=public.to_wire()), public.code


class Rpc(Entrypoint):  # type: ignore[misc]
    """A query. `callers` names the services that may ask, or the handler takes a `caller: Caller`: one of the
    two, so that no method is open to any service by forgetting. `ANYONE` says that it is meant to be.
    """

    server = CallServer()
    redelivered = False

    def __init__(
        self,
        *,
        callers: Iterable[str] | None = None,
        expected_exceptions: type[Exception] | tuple[type[Exception], ...] = (),
        sensitive_arguments: str | tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(
            expected_exceptions=expected_exceptions, sensitive_arguments=sensitive_arguments, **options
        )
        self.callers = callers if callers is None or callers is ANYONE else frozenset(callers)

    def setup(self) -> None:
        self.signature = Signature(getattr(self.container.service_cls, self.method_name))
        if self.callers is None and not self.signature.takes_caller:
            raise TypeError(f"{self.method_name}: say who may ask (callers=…, or a parameter caller: Caller)")
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)

    def accept(self, incoming: Incoming, bus: Bus) -> tuple[dict[str, Any], Context]:
        """Return the handler's arguments and its context, or raise why it may not run. Caller before
        arguments."""
        call = incoming.call
        if self.callers is not None and self.callers is not ANYONE and incoming.peer not in self.callers:
            raise Refused(cause="this service may not ask this")
        if self.redelivered and not call.key:
            raise IdempotencyKeyRequired
        signed = call.signed_caller()
        caller = vouched(signed, bus.keyring, incoming) if signed is not None else None
        if self.signature.takes_caller and caller is None:
            raise Unauthenticated(cause="no caller")
        arguments = self.signature.bind(call)
        if self.signature.takes_caller:
            arguments["caller"] = caller
        return arguments, Context(
            call.request_id, incoming.deadline, call.traceparent, incoming.peer, call.key, caller
        )


class CommandRpc(Rpc):
    """A command: acknowledged after its answer, redelivered after a crash, harmless when repeated."""

    redelivered = True


class Decorator(Protocol):
    """`@rpc` or `@rpc(callers=("sharing",))`."""

    @overload
    def __call__(self, handler: Handler, /) -> Handler: ...

    @overload
    def __call__(
        self,
        *,
        callers: Iterable[str] | None = None,
        expected_exceptions: type[Exception] | tuple[type[Exception], ...] = (),
        sensitive_arguments: str | tuple[str, ...] = (),
    ) -> Callable[[Handler], Handler]: ...


rpc: Decorator = Rpc.decorator
command: Decorator = CommandRpc.decorator
