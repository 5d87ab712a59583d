"""How a call stands on the wire. Sealed is what services speak; `plain.py` has nameko's own form."""

from __future__ import annotations

import time
from typing import Any, Protocol

import amqp
import msgspec

from services.chassis.deadline import Deadline
from services.chassis.payload import BODY_LIMIT, UNREADABLE, Answer, Call, decode_answer, decode_call, encode
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.contracts.errors import Malformed, TooLarge, Unauthenticated, Unavailable

EXCHANGE = "nameko-rpc"
NOT_TAKEN = "not_taken"
"""The AMQP type of a reply that is no answer: the request may have run before, so it is to be made anew. It
is not sealed: whoever could make one up can as well lose the reply."""
LONGEST = 120.0
"""Seconds that a call may take at most, whatever its sender says. The broker closes a channel on which a
message of more than 2³² ms is published, and a service answers with its callers' times."""

Properties = dict[str, Any]


class Incoming(msgspec.Struct, frozen=True):
    """A request as it arrived, opened: who sent it (proved, or None), until when it is wanted, and where."""

    call: Call
    deadline: Deadline
    peer: str | None
    route: str
    reply_to: str
    correlation_id: str
    until: int = 0
    """The deadline as its sender sealed it, in milliseconds: the reply repeats it."""


class Format(Protocol):
    """`route` is `service.method`, the routing key."""

    content_type: str

    def request(
        self, route: str, call: Call, deadline: Deadline, correlation_id: str, reply_to: str
    ) -> tuple[bytes, Properties]:
        """The message that asks."""

    def incoming(self, message: amqp.Message, route: str, patience: float) -> Incoming:
        """The request in `message`. Raises Malformed or Unauthenticated."""

    def reply(self, incoming: Incoming, answer: Answer) -> tuple[bytes, Properties]:
        """The message that answers."""

    def answer(self, message: amqp.Message, route: str, deadline: Deadline) -> Answer:
        """The answer in `message`. Raises Unavailable for one that cannot be believed or read."""


class Sealed:
    content_type = CONTENT_TYPE

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def request(
        self, route: str, call: Call, deadline: Deadline, correlation_id: str, reply_to: str
    ) -> tuple[bytes, Properties]:
        context = _context(route, correlation_id, reply_to)
        body = self._keyring.seal(route.partition(".")[0], encode(call), deadline.millis, context)
        return bounded(body), properties_of(CONTENT_TYPE, correlation_id, deadline, reply_to)

    def incoming(self, message: amqp.Message, route: str, patience: float) -> Incoming:
        reply_to, correlation_id = addresses_of(message)
        opened = self._keyring.open(message.body, _context(route, correlation_id, reply_to))
        if not reply_to.startswith(reply_prefix(opened.sender)):
            raise Malformed(cause="the reply is wanted where its sender does not listen")
        deadline = Deadline.from_millis(opened.deadline).within(LONGEST)
        call = call_of(opened.body)
        return Incoming(call, deadline, opened.sender, route, reply_to, correlation_id, opened.deadline)

    def reply(self, incoming: Incoming, answer: Answer) -> tuple[bytes, Properties]:
        assert incoming.peer is not None
        context = _context(incoming.route, incoming.correlation_id, "reply")
        body = self._keyring.seal(incoming.peer, encode(answer), incoming.until, context)
        return bounded(body), properties_of(CONTENT_TYPE, incoming.correlation_id, incoming.deadline)

    def answer(self, message: amqp.Message, route: str, deadline: Deadline) -> Answer:
        context = _context(route, message.properties.get("correlation_id", ""), "reply")
        try:
            opened = self._keyring.open(message.body, context)
        except Unauthenticated as problem:
            raise Unavailable(cause=f"reply: {problem.cause}") from None
        if opened.sender != route.partition(".")[0] or opened.deadline != deadline.millis:
            raise Unavailable(cause="reply: not from the service that was asked, or to another call")
        return answer_of(opened.body)


def reply_prefix(name: str) -> str:
    """How the reply queues of a service's processes begin; the broker lets nobody else declare such."""
    return f"rpc.reply-{name}-"


def _context(*parts: str) -> bytes:
    """What we make has no `|` in it, so no other parts give the same bytes."""
    return "|".join(parts).encode("utf-8", "surrogatepass")


def bounded(body: bytes) -> bytes:
    if len(body) > BODY_LIMIT:
        raise TooLarge
    return body


def properties_of(
    kind: str, correlation_id: str, deadline: Deadline, reply_to: str | None = None
) -> Properties:
    """Transient, and gone from every queue when nobody waits any more (N4, N14)."""
    properties = {
        "content_type": kind,
        "correlation_id": correlation_id,
        "delivery_mode": 1,
        "expiration": lifetime(deadline.at),
    }
    if reply_to is not None:
        properties["reply_to"] = reply_to
    return properties


def lifetime(until: float) -> str:
    """The AMQP expiration of a message for which nobody waits after `until` (unix seconds)."""
    return str(int(min(max(until - time.time(), 0.001), LONGEST) * 1000))


def addresses_of(message: amqp.Message) -> tuple[str, str]:
    reply_to = message.properties.get("reply_to")
    correlation_id = message.properties.get("correlation_id")
    if not reply_to or not correlation_id:
        raise Malformed(cause="no reply_to or no correlation_id")
    return reply_to, correlation_id


def call_of(body: bytes) -> Call:
    try:
        return decode_call(body)
    except UNREADABLE:
        raise Malformed(cause="not a call") from None


def answer_of(body: bytes) -> Answer:
    try:
        return decode_answer(body)
    except UNREADABLE:
        raise Unavailable(cause="reply: unreadable") from None
