"""Stands between an exchange and a queue, as operator: messages arrive twice, late, or reordered."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import amqp

from tests.faults.stage import Stage

Plan = Callable[[amqp.Message], Iterable[float]]
"""The seconds after which a message is delivered: none, one, or several deliveries of it."""

_SHORT = 0.005


class Detour:
    """What goes from `exchange` to `queue` under `pattern` passes here, and `plan` says when it goes on.

    With `beside` the messages arrive by themselves as well, and what `plan` says comes on top. Without a
    `queue` each goes to the queue that its routing key names: so are replies addressed.
    """

    def __init__(
        self, stage: Stage, exchange: str, pattern: str, queue: str | None, plan: Plan, *, beside: bool
    ) -> None:
        self._exchange, self._pattern, self._queue, self._plan = exchange, pattern, queue, plan
        self._beside = beside
        self._own = f"detour-{uuid.uuid4().hex[:8]}"
        self._connection = stage.connect()
        self._channel: amqp.Channel = self._connection.channel()
        self._arrived: list[amqp.Message] = []
        self._waiting: list[tuple[float, int, amqp.Message]] = []
        self._count = itertools.count()
        self._closing = threading.Event()
        self.delivered = 0
        self._take_over()
        self._pool = ThreadPoolExecutor(1, self._own)
        self._done = self._pool.submit(self._work)

    def close(self) -> None:
        """Let messages go their own way again; deliver at once what waits here. Raises what went wrong."""
        self._closing.set()
        try:
            self._done.result(30)
        finally:
            self._connection.collect()
            self._pool.shutdown(wait=False)

    def _take_over(self) -> None:
        self._channel.auto_decode = False
        self._channel.queue_declare(self._own, auto_delete=False)
        if self._queue is not None:
            # Through an exchange of our own they keep their routing keys, to which their seals are bound.
            self._channel.exchange_declare(self._own, "topic", auto_delete=False)
            self._channel.queue_bind(self._queue, self._own, "#")
        self._channel.queue_bind(self._own, self._exchange, self._pattern)
        if not self._beside:
            self._channel.queue_unbind(self._queue, self._exchange, self._pattern)
        self._channel.basic_consume(self._own, consumer_tag=self._own, callback=self._arrived.append)

    def _work(self) -> None:
        while not self._closing.is_set():
            self._take_in(_SHORT)
            self._deliver(time.monotonic())
        if not self._beside:
            self._channel.queue_bind(self._queue, self._exchange, self._pattern)
        self._channel.queue_unbind(self._own, self._exchange, self._pattern)
        while self._channel.queue_declare(self._own, passive=True).message_count or self._arrived:
            self._take_in(0.05)
        self._channel.basic_cancel(self._own)
        self._deliver(float("inf"))
        self._channel.queue_delete(self._own)
        if self._queue is not None:
            self._channel.exchange_delete(self._own)

    def _take_in(self, seconds: float) -> None:
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=seconds)
        arrived, self._arrived[:] = list(self._arrived), []
        now = time.monotonic()
        for message in arrived:
            for delay in self._plan(message):
                heapq.heappush(self._waiting, (now + delay, next(self._count), message))
            # Acknowledged when it is in hand: a harness that dies takes the broker with it anyway.
            self._channel.basic_ack(message.delivery_tag)

    def _deliver(self, until: float) -> None:
        while self._waiting and self._waiting[0][0] <= until:
            _, _, message = heapq.heappop(self._waiting)
            exchange, key = self._own if self._queue else "", message.delivery_info["routing_key"]
            self._channel.basic_publish(copy_of(message), exchange, key)
            self.delivered += 1


def copy_of(message: amqp.Message, **changed: Any) -> amqp.Message:
    """The same body and properties, but for those that are given; None leaves one out."""
    properties = {**message.properties, **changed}
    return amqp.Message(
        message.body, **{name: value for name, value in properties.items() if value is not None}
    )
