"""A holder without a service around it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import amqp

from services.chassis.recording import CONTEXT
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE, VHOST
from services.contracts.directory import RECORDER
from services.contracts.records import Record
from tests.bench.auditing.log import made


class Publisher:
    """A holder without a service around it: seals, numbers, publishes, waits for confirms or not."""

    def __init__(self, cell: Any) -> None:
        url = cell.rabbitmq_url("cases").removeprefix("amqp://")
        account, _, place = url.partition("@")
        user, _, password = account.partition(":")
        host = place.partition("/")[0]
        self._connection = amqp.Connection(
            host, userid=user, password=password, virtual_host=VHOST, confirm_publish=False
        )
        self._connection.connect()
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._keyring, self.publisher, self.number = Keyring(cell.keys_dir, "cases"), uuid.uuid4().hex, 0

    def sealed(self, record: Record) -> bytes:
        self.number += 1
        told = {"service": "cases", "publisher": self.publisher, "number": self.number}
        body = record.model_copy(update=told).model_dump_json().encode()
        return self._keyring.seal(RECORDER, body, 0, CONTEXT)

    def publish(self, body: bytes) -> None:
        message = amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)
        self._channel.basic_publish(message, exchange=INTAKE, routing_key=INTAKE, mandatory=True)

    def confirmed(self, body: bytes) -> None:
        self.publish(body)
        self._channel.wait(amqp.spec.Basic.Ack)

    def drain(self, count: int) -> None:
        """Wait until so many are confirmed: one acknowledgement may be of several."""
        last = 0
        while last < count:
            tag, _multiple = self._channel.wait(amqp.spec.Basic.Ack)
            last = max(last, tag)

    def close(self) -> None:
        self._connection.close()


def now_record(number: int) -> Record:
    return made(number).model_copy(update={"at": datetime.now(UTC)})
