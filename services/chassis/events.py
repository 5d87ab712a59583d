"""Consuming other services' events: `@subscribe("echo", "note.changed")` on `(self, event, session)`.

A handler runs in the transaction that records that the event took effect. It MUST pass the session to all
that it stores, and do nothing else that matters: it may run several times, of which one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import amqp
import eventlet
from eventlet.queue import LightQueue
from nameko.containers import WorkerContext
from nameko.extensions import Entrypoint, SharedExtension
from pymongo.client_session import ClientSession

from services.chassis import metrics
from services.chassis.applying import Applier, Handle
from services.chassis.confirms import ConfirmChannel
from services.chassis.deliveries import TOO_LARGE, Delivery, Poison, open_delivery
from services.chassis.lanes import Lanes
from services.chassis.logs import log
from services.chassis.mongo import Store
from services.chassis.parking import Parking
from services.chassis.settling import Settling
from services.chassis.sweeping import Sweeper
from services.chassis.together import HandleMany, Together
from services.chassis.topology import event_queue
from services.chassis.wire import Connection, acknowledge
from services.contracts.envelope import Event

Method = TypeVar("Method", bound=Callable[..., object])

DRAIN_SECONDS = 5.0
POISON_AGAIN = 1.0


def _no_effect(event: Event, session: ClientSession) -> None:
    """For types that this service does not handle: only the position advances."""


class Stream:
    """What comes from one source, whatever its type: one queue, so that the order of an aggregate is kept."""

    def __init__(self, consumer: EventConsumer, source: str) -> None:
        self._consumer, self.source = consumer, source
        self.queue = event_queue(source, consumer.container.service_name)
        self.handlers: dict[str, Handle] = {}
        settings = consumer.channel.bus.settings
        applier = Applier(consumer.store.database, dedupe="no_dedupe" not in settings.faults)
        parking = Parking(consumer.store.database)
        self._settling = Settling(
            consumer.container.service_name,
            source,
            applier=applier,
            parking=parking,
            handler_of=lambda event_type: self.handlers.get(event_type, _no_effect),
            confirms=consumer.channel.confirms,
            acknowledge=consumer.acknowledge,
            seconds=settings.call_timeout,
        )
        self.sweeper = Sweeper(source, parking, applier, self._settling.put_back, settings.gap_seconds)
        self.lanes = Lanes(self._settle)

    def take(self, message: amqp.Message) -> None:
        """Begin with one message."""
        if getattr(
            message, "oversize", False
        ):  # its body was not kept: the broker, which has it, puts it aside
            log.error("event_dead", queue=self.queue, reason=TOO_LARGE)
            metrics.dead_lettered(self.queue, TOO_LARGE)
            self._consumer.refuse(message)
            return
        try:
            self.lanes.add(open_delivery(message, self.source))
        except Poison as poison:
            eventlet.spawn(self._put_aside, message, poison)

    def _settle(self, delivery: Delivery) -> float | None:
        if not self._consumer.holds(delivery.message):
            return None  # the broker delivers it again, to whoever is there
        if self._consumer.draining:
            self._consumer.hand_back(delivery.message)
            return None
        return self._settling.settle(delivery)

    def _put_aside(self, message: amqp.Message, poison: Poison) -> None:
        while self._consumer.holds(message) and not self._settling.put_aside_poison(message, poison):
            eventlet.sleep(POISON_AGAIN)


class EventConsumer(SharedExtension):  # type: ignore[misc]
    """Consumes every event queue of a service process, on its consuming connection."""

    channel = ConfirmChannel()
    store = Store()
    streams: dict[str, Stream]
    _together: dict[tuple[str, str], Together]

    def bind(self, container: Any) -> EventConsumer:
        bound: EventConsumer = super().bind(container)
        if not hasattr(bound, "streams"):
            bound.streams, bound._together = {}, {}
        return bound

    def setup(self) -> None:
        self.draining = False
        self._open: amqp.Channel | None = None
        self._arrived: LightQueue = LightQueue()
        self._link = self.channel.bus.consuming
        self._link.attach(self._consume, self._lost)

    def handle_many(self, source: str, event_type: str, name: str, handler: HandleMany) -> None:
        """`name`: whose types are applied together."""
        together = self._together.setdefault((source, name), Together(handler))
        self.handle(source, event_type, together)

    def handle(self, source: str, event_type: str, handler: Handle) -> None:
        stream = self.streams.get(source)
        if stream is None:
            stream = self.streams[source] = Stream(self, source)
        if event_type in stream.handlers:
            raise ValueError(f"two handlers for {event_type} of {source}")
        stream.handlers[event_type] = handler

    def start(self) -> None:
        eventlet.spawn(self._dispatch)
        for stream in self.streams.values():
            eventlet.spawn(stream.sweeper.run, lambda: self.draining)

    def drain(self) -> None:
        """Take no more, hand back what has not begun, and wait for the rest; bounded."""
        if self.draining:
            return
        self.draining = True
        for source in self.streams:
            if self._open is not None:
                self._open.basic_cancel(source, nowait=True)
        give_up = eventlet.Timeout(DRAIN_SECONDS, False)
        with give_up:
            while not all(stream.lanes.idle for stream in self.streams.values()):
                for stream in self.streams.values():
                    stream.lanes.look()
                eventlet.sleep(0.01)

    def holds(self, message: amqp.Message) -> bool:
        """The message is ours to acknowledge: the connection that brought it is still there."""
        return self._open is not None and message.channel is self._open

    def acknowledge(self, message: amqp.Message) -> None:
        if self.holds(message):
            acknowledge(message)

    def hand_back(self, message: amqp.Message) -> None:
        if self._open is not None and self.holds(message):
            self._open.basic_reject(message.delivery_tag, requeue=True)

    def refuse(self, message: amqp.Message) -> None:
        """Have the broker dead-letter it."""
        if self._open is not None and self.holds(message):
            self._open.basic_reject(message.delivery_tag, requeue=False)

    def _consume(self, connection: Connection) -> None:
        channel = connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, self.channel.bus.settings.event_prefetch, False)
        self._open = channel
        for source, stream in self.streams.items() if not self.draining else ():
            # Only appends: this runs where frames are read (N19).
            channel.basic_consume(
                stream.queue,
                consumer_tag=source,
                callback=lambda message, stream=stream: self._arrived.put((stream, message)),
            )

    def _lost(self) -> None:
        self._open = None
        for stream in self.streams.values():
            stream.lanes.look()

    def _dispatch(self) -> None:
        while True:
            stream, message = self._arrived.get()
            # What comes while the connection is still being prepared waits: nobody may write on it yet.
            while not self._link.up and self.holds(message):
                self._link.wait_up(1.0)
            if self.holds(message):
                self.hand_back(message) if self.draining else stream.take(message)


class EventHandler(Entrypoint):  # type: ignore[misc]
    """Applies events of one type from one source."""

    consumer = EventConsumer()

    def __init__(self, source: str, event_type: str, **options: Any) -> None:
        super().__init__(**options)
        self.source, self.event_type = source, event_type

    def setup(self) -> None:
        self.consumer.handle(self.source, self.event_type, self._handle)

    def stop(self) -> None:
        self.consumer.drain()

    def _handle(self, event: Any, session: ClientSession) -> None:
        service = self.container.service_cls()
        worker = WorkerContext(self.container, service, self)
        for provider in self.container.dependencies:
            setattr(service, provider.attr_name, provider.get_dependency(worker))
        getattr(service, self.method_name)(event, session)


class ManyEventsHandler(EventHandler):
    """Applies events of one type from one source, together with those of others that its method takes."""

    def setup(self) -> None:
        self.consumer.handle_many(self.source, self.event_type, self.method_name, self._handle)


def subscribe(source: str, event_type: str) -> Callable[[Method], Method]:
    """Mark `(self, event, session)` as what applies the events of one type."""
    mark: Callable[[Method], Method] = EventHandler.decorator(source, event_type)
    return mark


def subscribe_together(source: str, event_type: str) -> Callable[[Method], Method]:
    """Mark `(self, events, session)` as what applies events of one type: each of another aggregate, all in
    one transaction, as many as came at the same time. It may be told of several types, in any mixture."""
    mark: Callable[[Method], Method] = ManyEventsHandler.decorator(source, event_type)
    return mark
