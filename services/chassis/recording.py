"""No log, no look: what a service is about to show or change is recorded, durably, before it is.

    self.records.keep(record)        returns when a majority of the broker's nodes has it, else raises

A record travels sealed for the recorder, through a queue that drops nothing. Each process numbers its own
without a gap, so that the recorder notices a broker that has lost some. A record whose publishing failed may
have arrived all the same: it stands for an answer that was never given.
"""

from __future__ import annotations

import itertools
import uuid

from nameko.extensions import DependencyProvider
from pydantic import BaseModel

from services.chassis import context
from services.chassis.confirms import ConfirmChannel, Confirms
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE
from services.contracts.directory import RECORDER
from services.contracts.errors import Unavailable

CONTEXT = b"concordat record 1"
"""What a sealed record is bound to: it opens as nothing else."""
PATIENCE = 2.0
"""Seconds to wait for the confirm, at most what the deadline leaves."""


class Keeper:
    """Publishes records of one process. Several may be on their way at once."""

    def __init__(self, confirms: Confirms, keyring: Keyring, service: str) -> None:
        self._confirms, self._keyring, self._service = confirms, keyring, service
        self._publisher = uuid.uuid4().hex
        self._numbers = itertools.count(1)

    def keep(self, record: BaseModel) -> None:
        """Return once `record` is safe. Raises Unavailable: nothing may be shown then.

        Its fields `service`, `publisher` and `number` are filled in here.
        """
        number = next(self._numbers)
        numbered = record.model_copy(
            update={"service": self._service, "publisher": self._publisher, "number": number}
        )
        body = self._keyring.seal(RECORDER, numbered.model_dump_json().encode(), 0, CONTEXT)
        properties = {"content_type": CONTENT_TYPE, "delivery_mode": 2}
        serving = context.current()
        patience = PATIENCE if serving is None else min(PATIENCE, max(0.0, serving.deadline.left()))
        ticket = self._confirms.publish(INTAKE, INTAKE, body, properties)
        if not self._confirms.wait([ticket], patience):
            raise Unavailable(cause=f"record not confirmed: {ticket.outcome}")


class Recording(DependencyProvider):  # type: ignore[misc]
    """Gives a service its `Keeper`."""

    channel = ConfirmChannel()

    def setup(self) -> None:
        bus = self.channel.bus
        self._keeper = Keeper(self.channel.confirms, bus.keyring, self.container.service_name)

    def get_dependency(self, worker_ctx: object) -> Keeper:
        return self._keeper
