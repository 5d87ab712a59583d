"""How replies find those who wait for them: what the greenlet client and the asyncio client share of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Generic

import amqp

from services.chassis.formats import EXCHANGE, NOT_TAKEN, reply_prefix
from services.chassis.pending import Attempt, Pending, Waiter
from services.chassis.wire import Connection
from services.contracts.errors import ConcordatError, DeadlineExpired, LinkDown, UnknownService

LOOK_EVERY = 0.02
"""Seconds between looks for attempts whose time is up."""


class Replies(Generic[Waiter]):
    """One client's attempts on their way, and the queue that their answers come to.

    `answer` and `fail` end one wait, whatever a wait is in the client's loop; each is called at most once for
    an attempt.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Waiter, amqp.Message], None],
        fail: Callable[[Waiter, ConcordatError], None],
    ) -> None:
        self.pending: Pending[Waiter] = Pending()
        self._name, self._answer, self._fail = name, answer, fail
        self._address: str | None = None

    @property
    def address(self) -> str:
        """Where replies are to be sent. Raises LinkDown before there was a connection."""
        if self._address is None:
            raise LinkDown
        return self._address

    def listen(self, connection: Connection) -> None:
        """Have the answers that come on this connection given to those who wait."""
        self._address = listen_for_replies(connection, self._name, self.arrived)

    def arrived(self, message: amqp.Message) -> None:
        attempt = self.pending.take(message.properties.get("correlation_id", ""))
        if attempt is None:
            return
        if message.properties.get("type") == NOT_TAKEN:
            self._fail(attempt.waiter, LinkDown(cause="delivered twice"))
        else:
            self._answer(attempt.waiter, message)

    def returned(self, correlation_id: str) -> None:
        """No queue took the request."""
        attempt = self.pending.take(correlation_id)
        if attempt is not None:
            self._fail(attempt.waiter, UnknownService())

    def lost(self) -> None:
        """A connection is gone: no answer comes to what is on its way."""
        self._fail_all(self.pending.all(), LinkDown, "lost while waiting")

    def look_over(self) -> None:
        """MUST be called every `LOOK_EVERY` seconds: ends the waits whose time is up."""
        self._fail_all(self.pending.overdue(), DeadlineExpired, None)

    def _fail_all(
        self, attempts: list[Attempt[Waiter]], problem: type[ConcordatError], cause: str | None
    ) -> None:
        for attempt in attempts:
            self._fail(attempt.waiter, problem(cause=cause))


def listen_for_replies(connection: Connection, name: str, on_reply: Callable[[amqp.Message], None]) -> str:
    """Declare this connection's reply queue and consume it; return its name, which is its routing key too.

    A new name each time: the broker may still hold the last connection's exclusive queue.
    """
    queue = f"{reply_prefix(name)}{uuid.uuid4()}"
    channel = connection.channel()
    channel.auto_decode = False
    channel.queue_declare(queue, exclusive=True, auto_delete=True)
    channel.queue_bind(queue, EXCHANGE, queue)
    channel.basic_consume(queue, no_ack=True, exclusive=True, callback=on_reply)
    return queue
