"""Publishing with a promise: many messages on their way at once, each with its own outcome.

The broker confirms also what it could not route: messages are mandatory, and a return is a failure (N21).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from enum import Enum
from typing import Any

import amqp
from eventlet.event import Event
from nameko.extensions import SharedExtension

from services.chassis.bus import Bus
from services.chassis.link import Link
from services.chassis.wire import Connection, publish
from services.contracts.errors import Busy, LinkDown


class Outcome(Enum):
    """What became of a published message. Anything but CONFIRMED: it may be lost, and it may have arrived."""

    CONFIRMED = "confirmed"
    RETURNED = "returned"
    """No queue is bound for it."""
    REFUSED = "refused"
    """A queue did not take it: full, or without a leader."""
    LOST = "lost"
    """The connection broke first, or no answer came in time."""


class Ticket:
    """One message on its way. `outcome` is None while the broker owes an answer."""

    __slots__ = ("message_id", "outcome", "returned")

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.outcome: Outcome | None = None
        self.returned = False

    @property
    def confirmed(self) -> bool:
        return self.outcome is Outcome.CONFIRMED


class Confirms:
    """A channel in confirm mode on a link. Attach before the link starts."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: amqp.Channel | None = None
        self._connection: Connection | None = None
        self._next_tag = 1
        self._open: dict[int, Ticket] = {}
        self._changed = Event()
        link.attach(self._set_up, self._lost)

    @property
    def usable(self) -> bool:
        """The broker is there and takes messages."""
        return self._channel is not None and self._link.up and not self._link.blocked

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: dict[str, Any],
        *,
        mandatory: bool = True,
    ) -> Ticket:
        """Buffer one message. Raises LinkDown or Busy at once; the outcome comes into the ticket.

        A message of its own id gets that in its properties: a return names nothing else.
        """
        if not self.usable or self._channel is None or self._connection is None:
            raise LinkDown
        if self._connection.full:
            raise Busy(cause="output buffer full")
        message_id = str(properties.get("message_id") or uuid.uuid4())
        properties = {**properties, "message_id": message_id}
        publish(self._channel, exchange, routing_key, body, properties, mandatory=mandatory)
        ticket = self._open[self._next_tag] = Ticket(message_id)
        self._next_tag += 1
        return ticket

    def wait(self, tickets: Iterable[Ticket], seconds: float) -> bool:
        """Wait until every ticket has an outcome, LOST after `seconds`; say whether all are confirmed."""
        tickets = list(tickets)
        give_up = time.monotonic() + seconds
        for ticket in tickets:
            while ticket.outcome is None and (left := give_up - time.monotonic()) > 0:
                self._changed.wait(left)
            if ticket.outcome is None:
                ticket.outcome = Outcome.LOST
        return all(ticket.confirmed for ticket in tickets)

    def _set_up(self, connection: Connection) -> None:
        channel = connection.channel()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        channel.confirm_select()
        self._channel, self._connection, self._next_tag = channel, connection, 1

    def _lost(self) -> None:
        self._channel, self._connection = None, None
        for tag in list(self._open):
            self._settle(tag, Outcome.LOST)
        self._tell()

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._answered(tag, multiple, Outcome.CONFIRMED)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._answered(tag, multiple, Outcome.REFUSED)

    def _on_return(self, problem: Exception, exchange: str, routing_key: str, message: amqp.Message) -> None:
        # The broker returns a message before it confirms it, and names it by our id only.
        message_id = message.properties.get("message_id")
        for ticket in self._open.values():
            if ticket.message_id == message_id and not ticket.returned:
                ticket.returned = True
                return

    def _answered(self, tag: int, multiple: bool, outcome: Outcome) -> None:
        for each in [open_tag for open_tag in self._open if open_tag <= tag] if multiple else [tag]:
            self._settle(each, outcome)
        self._tell()

    def _settle(self, tag: int, outcome: Outcome) -> None:
        ticket = self._open.pop(tag, None)
        if ticket is not None and ticket.outcome is None:
            ticket.outcome = Outcome.RETURNED if ticket.returned else outcome

    def _tell(self) -> None:
        changed, self._changed = self._changed, Event()
        changed.send()


class ConfirmChannel(SharedExtension):  # type: ignore[misc]
    """The one confirm channel of a service process, on its publishing connection."""

    bus = Bus()
    confirms: Confirms

    def bind(self, container: Any) -> ConfirmChannel:
        bound: ConfirmChannel = super().bind(container)
        if not hasattr(bound, "confirms"):
            bound.confirms = Confirms(bound.bus.publishing)
        return bound
