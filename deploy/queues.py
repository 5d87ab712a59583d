"""What waits on the broker, what is dead there and what nobody reads; and the way back for what is dead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp

from services.chassis.retries import QUEUE
from services.chassis.topology import (
    consumed_queues,
    dead_queue,
    event_queue,
    expected_queues,
    retry_exchange,
)
from services.contracts.directory import Shape

CONFIRM_SECONDS = 10


class BrokerTrouble(Exception):
    """The broker does not answer, or refuses; the text holds no secret."""


@dataclass(frozen=True)
class Standing:
    """A queue as it stands now."""

    name: str
    ready: int
    """Messages that wait for a consumer."""
    unacked: int
    """Messages that a consumer has and has not finished."""
    consumers: int
    remark: str
    """What is wrong with it, in plain words; empty when nothing is."""

    @property
    def lag(self) -> int:
        return self.ready + self.unacked


def counted(rows: list[dict[str, Any]], url: str) -> list[dict[str, Any]]:
    """The management API's rows with messages and consumers as they are now, asked from the queues.

    The API's own figures are up to ten seconds old. `url` is the operator's. Raises BrokerTrouble.
    """
    try:
        with _connected(url) as connection:
            channel = connection.channel()
            return [{**row, **_now(channel, row["name"])} if row.get("durable") else row for row in rows]
    except (OSError, amqp.AMQPError) as error:
        raise BrokerTrouble(f"The broker could not be asked ({type(error).__name__}). Repeat it.") from None


def _now(channel: Any, queue: str) -> dict[str, int]:
    found = channel.queue_declare(queue, passive=True)
    return {"messages_ready": found.message_count, "consumers": found.consumer_count}


def standings(rows: list[dict[str, Any]], services: Mapping[str, Shape]) -> list[Standing]:
    """From the management API's rows; a queue that is declared and not there has a line too."""
    expected, consumed = expected_queues(services), consumed_queues(services)
    found = [_standing(row, expected, consumed) for row in rows]
    missing = expected - {standing.name for standing in found}
    return sorted(
        [*found, *(Standing(name, 0, 0, 0, "missing: run `concordat topology apply`") for name in missing)],
        key=lambda standing: standing.name,
    )


def _standing(row: dict[str, Any], expected: frozenset[str], consumed: frozenset[str]) -> Standing:
    name, consumers = row["name"], row.get("consumers", 0)
    ready, unacked = row.get("messages_ready", 0), row.get("messages_unacknowledged", 0)
    remark = ""
    if row.get("durable") and name not in expected:
        remark = "orphaned: no service declares it, it may fill up for ever"
    elif name in consumed and not consumers:
        remark = "no consumer: its service does not run"
    elif name.startswith("dead-") and ready:
        remark = f"dead letters: concordat queues replay {name.removeprefix('dead-')}"
    return Standing(name, ready, unacked, consumers, remark)


@dataclass(frozen=True)
class Replayed:
    """How a replay went."""

    moved: int
    kept: int
    """Without a queue of this service to go back to."""
    refused: int
    """The broker did not confirm them; they are still dead letters."""


def replay(url: str, service: str, shape: Shape, limit: int | None = None) -> Replayed:
    """Put dead letters back on the queue that they died from, with their attempts forgotten.

    Each is published with a confirm before it is taken off, so one may arrive twice when this is
    interrupted (consumers apply an event once) but none is lost. `url` is the operator's. Raises OSError or
    amqp.AMQPError.
    """
    targets = {event_queue(source, service) for source in shape.subscribes}
    moved = kept = refused = 0
    with _connected(url) as connection:
        channel = connection.channel()
        returned: list[Any] = []
        channel.events["basic_return"].add(lambda *arguments: returned.append(arguments))
        for message in _dead_letters(channel, service, limit):
            target = origin(message)
            if target not in targets:
                kept += 1
            elif _confirmed(channel, message, retry_exchange(service), target, returned):
                channel.basic_ack(message.delivery_tag)
                moved += 1
            else:
                refused += 1
    return Replayed(moved, kept, refused)


def origin(message: amqp.Message) -> str:
    """The queue that a message died from: as its consumer noted it, else as the broker did."""
    headers = message.properties.get("application_headers") or {}
    noted = headers.get(QUEUE)
    deaths = headers.get("x-death") or [{}]
    return str(noted or deaths[0].get("queue", ""))


def stripped(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """Without what consumers and broker noted about earlier deliveries: all of theirs begin with x-."""
    return {key: value for key, value in (headers or {}).items() if not key.startswith("x-")}


def _dead_letters(channel: Any, service: str, limit: int | None) -> Iterator[amqp.Message]:
    """Those that are there now. What is not acknowledged goes back when the connection ends."""
    queue = dead_queue(service)
    there = channel.queue_declare(queue, passive=True).message_count
    for _ in range(there if limit is None else min(limit, there)):
        message = channel.basic_get(queue)
        if message is None:
            return
        yield message


def _confirmed(channel: Any, message: amqp.Message, exchange: str, target: str, returned: list[Any]) -> bool:
    returned.clear()
    properties = {
        **message.properties,
        "application_headers": stripped(message.properties.get("application_headers")),
    }
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


def _connected(url: str) -> Any:
    """To the first broker of the list that answers."""
    trouble: Exception = OSError("no broker is named")
    for one in url.split(","):
        parts = urlsplit(one.strip())
        connection = amqp.Connection(
            f"{parts.hostname}:{parts.port or 5672}",
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
            virtual_host=unquote(parts.path[1:]) or "/",
            connect_timeout=5,
            read_timeout=CONFIRM_SECONDS,
            write_timeout=CONFIRM_SECONDS,
        )
        try:
            connection.connect()
        except OSError as error:
            trouble = error
        else:
            return connection
    raise trouble
