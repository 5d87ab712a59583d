"""What waits on the broker, what is dead there and what nobody reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import amqp

from deploy.operator_amqp import connected
from services.chassis.topology import consumed_queues, expected_queues
from services.contracts.directory import Shape


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
        with connected(url) as connection:
            channel = connection.channel()
            return [{**row, **_now(channel, row["name"])} if row.get("durable") else row for row in rows]
    except (OSError, amqp.AMQPError) as error:
        raise BrokerTrouble(f"The broker could not be asked ({type(error).__name__}). Repeat it.") from None


def _now(channel: Any, queue: str) -> dict[str, int]:
    found = channel.queue_declare(queue, passive=True)
    return {"messages_ready": found.message_count, "consumers": found.consumer_count}


def standings(
    rows: list[dict[str, Any]], services: Mapping[str, Shape], running: Collection[str] | None = None
) -> list[Standing]:
    """From the management API's rows; a queue that is declared and not there has a line too.

    `running` are the services that should consume; all of them unless it is said.
    """
    wanted = services if running is None else {name: services[name] for name in running}
    expected, consumed = expected_queues(services), consumed_queues(wanted)
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
        remark = f"dead letters: concordat queues dead {name.removeprefix('dead-')}"
    return Standing(name, ready, unacked, consumers, remark)
