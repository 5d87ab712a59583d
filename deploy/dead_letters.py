"""What is dead on the broker: what it died of, the way back, and the way out.

An event goes back to the queue that it died from, a record to the intake. A request never does: only its
reason, hash and size were kept, and its caller has long been answered.

`url` is the operator's everywhere. Each function raises OSError or amqp.AMQPError; what it has not
acknowledged by then is still a dead letter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import amqp

from deploy.operator_amqp import CONFIRM_SECONDS, connected
from services.chassis.retries import QUEUE, REASON, REPLAYED, SIZE
from services.chassis.topology import INTAKE, dead_queue, event_queue, retry_exchange
from services.contracts.directory import RECORDER, SERVICES, Shape

Homes = Mapping[str, str]
"""The queues that a service's dead letters may go back to, each with the exchange that leads there."""


def homes(service: str, shape: Shape) -> Homes:
    found = {event_queue(source, service): retry_exchange(service) for source in shape.subscribes}
    return found | ({INTAKE: INTAKE} if service == RECORDER else {})


def replayed_services() -> list[str]:
    """Those whose dead letters may have a way back."""
    return sorted(name for name, shape in SERVICES.items() if homes(name, shape))


@dataclass(frozen=True, order=True)
class Kind:
    """Dead letters that died alike."""

    origin: str
    reason: str
    replayable: bool


@dataclass(frozen=True)
class Group:
    """How many of a kind there are, and how large they were when they died, in bytes."""

    kind: Kind
    count: int
    size: int


@dataclass(frozen=True)
class Replayed:
    """How a replay went."""

    moved: int
    kept: int
    """Without a queue of this service to go back to, or without a body."""
    refused: int
    """The broker did not confirm them; they are still dead letters."""


def groups(url: str, service: str) -> list[Group]:
    """What is there, by queue of origin and reason. Everything stays where it is."""
    counts: Counter[Kind] = Counter()
    sizes: Counter[Kind] = Counter()
    with connected(url) as connection:
        for message in _dead_letters(connection.channel(), service, None):
            kind = kind_of(message, homes(service, SERVICES[service]))
            counts[kind] += 1
            sizes[kind] += _size(message)
    return [Group(kind, counts[kind], sizes[kind]) for kind in sorted(counts)]


def replay(url: str, service: str, limit: int | None = None) -> Replayed:
    """Put dead letters back on the queue that they died from, with their attempts forgotten.

    Each is published with a confirm before it is taken off, so one may arrive twice when this is
    interrupted (its consumer applies it once) but none is lost.
    """
    known = homes(service, SERVICES[service])
    moved = kept = refused = 0
    with connected(url) as connection:
        channel = connection.channel()
        returned: list[Any] = []
        channel.events["basic_return"].add(lambda *arguments: returned.append(arguments))
        for message in _dead_letters(channel, service, limit):
            kind = kind_of(message, known)
            if not kind.replayable:
                kept += 1
            elif _confirmed(channel, message, known[kind.origin], kind.origin, returned):
                channel.basic_ack(message.delivery_tag)
                moved += 1
            else:
                refused += 1
    return Replayed(moved, kept, refused)


def discard(url: str, service: str, kinds: Mapping[Kind, int]) -> int:
    """Delete dead letters for good: of each kind so many at most, which are those that somebody has seen.
    Return how many it were."""
    left, gone = Counter(kinds), 0
    with connected(url) as connection:
        channel = connection.channel()
        for message in _dead_letters(channel, service, None):
            kind = kind_of(message, homes(service, SERVICES[service]))
            if left[kind] > 0:
                channel.basic_ack(message.delivery_tag)
                left[kind] -= 1
                gone += 1
    return gone


def kind_of(message: amqp.Message, known: Homes) -> Kind:
    """Anybody may have written the headers: what they hold is a text, and believed no further."""
    queue = origin(message)
    headers = message.properties.get("application_headers") or {}
    reason = str(headers.get(REASON) or "unknown")
    return Kind(queue, reason, queue in known and bool(message.body))


def origin(message: amqp.Message) -> str:
    """The queue that a message died from: as its consumer noted it, else as the broker did."""
    headers = message.properties.get("application_headers") or {}
    noted = headers.get(QUEUE)
    deaths = headers.get("x-death") or [{}]
    return str(noted or deaths[0].get("queue", ""))


def stripped(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """Without what consumers and broker noted about earlier deliveries: all of theirs begin with x-."""
    return {key: value for key, value in (headers or {}).items() if not key.startswith("x-")}


def _size(message: amqp.Message) -> int:
    noted = (message.properties.get("application_headers") or {}).get(SIZE)
    return noted if type(noted) is int else len(message.body)


def _dead_letters(channel: Any, service: str, limit: int | None) -> Iterator[amqp.Message]:
    """Those that are there now. What is not acknowledged goes back when the connection ends."""
    channel.auto_decode = False
    queue = dead_queue(service)
    there = channel.queue_declare(queue, passive=True).message_count
    for _ in range(there if limit is None else min(limit, there)):
        message = channel.basic_get(queue)
        if message is None:
            return
        yield message


def _confirmed(channel: Any, message: amqp.Message, exchange: str, target: str, returned: list[Any]) -> bool:
    returned.clear()
    headers = stripped(message.properties.get("application_headers"))
    properties = {**message.properties, "application_headers": {**headers, REPLAYED: 1}}
    try:
        channel.basic_publish_confirm(
            amqp.Message(message.body, **properties),
            exchange,
            target,
            mandatory=True,
            confirm_timeout=CONFIRM_SECONDS,
        )
    except amqp.MessageNacked:
        return False
    return not returned
