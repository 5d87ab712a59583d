"""What a test hears on the intake in audit's place."""

from __future__ import annotations

import contextlib

import amqp
from kombu.utils.url import parse_url

from services.chassis.recording import CONTEXT, MARK
from services.chassis.sealing import Keyring
from services.chassis.topology import INTAKE
from services.contracts.records import Record
from tests.cell import Parts

QUIET = 0.2
"""Seconds without a record: there are no more. Each is in the queue before its answer is given."""


def operator_connection(parts: Parts) -> amqp.Connection:
    """Connected, as who may do everything on the broker."""
    url = parse_url(parts.rabbitmq_url("operator"))
    connection = amqp.Connection(
        host=f"{url['hostname']}:{url['port']}",
        userid=url["userid"],
        password=url["password"],
        virtual_host=url["virtual_host"],
    )
    connection.connect()
    return connection


class Overhearing:
    """Takes every record from the intake from now on, and opens it with audit's key. The marks by which
    processes say how far they have counted are passed over."""

    def __init__(self, parts: Parts) -> None:
        self._recorder = Keyring(parts.keys_dir, "audit")
        self._records: list[Record] = []
        self._connection = operator_connection(parts)
        channel = self._connection.channel()
        channel.auto_decode = False
        channel.basic_consume(INTAKE, no_ack=True, callback=self._heard)

    def close(self) -> None:
        self._connection.close()

    def all(self) -> list[Record]:
        """Every record so far."""
        with contextlib.suppress(TimeoutError):
            while True:
                self._connection.drain_events(timeout=QUIET)
        return list(self._records)

    def new(self) -> list[Record]:
        """Every record since the last time, or since the first."""
        found = self.all()
        self._records.clear()
        return found

    def of(self, actor_id: str) -> list[Record]:
        """What was recorded of what this person did, so far."""
        return [record for record in self.all() if record.actor.id == actor_id]

    def _heard(self, message: amqp.Message) -> None:
        if message.properties.get("type") != MARK:
            self._records.append(Record.model_validate_json(self._recorder.open(message.body, CONTEXT).body))
