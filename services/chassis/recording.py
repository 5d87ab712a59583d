"""No log, no look: what a service is about to show or change is recorded, durably, before it is.

    self.records.keep(record)        returns when a majority of the broker's nodes has it, else raises

A record travels sealed for the recorder, through a queue that drops nothing. Each process numbers its own
without a gap, so that the recorder notices a broker that has lost some. A record whose publishing failed may
have arrived all the same: it stands for an answer that was never given, and its number is told as doubtful by
the records after it, until one of them is confirmed. Now and then, and when it ends, a process says how far
it has counted (`Mark`): of a broker that comes back with an empty disk also the last records are missed.
`intake.py` is the other end.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import eventlet
from nameko.extensions import DependencyProvider
from pydantic import BaseModel

from services.chassis import context
from services.chassis.confirms import ConfirmChannel, Confirms, Ticket
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE
from services.contracts.directory import RECORDER
from services.contracts.errors import ConcordatError, DeadlineExpired, Internal, Unavailable
from services.contracts.records import Mark

CONTEXT = b"concordat record 1"
"""What a sealed record is bound to: it opens as nothing else."""
MARK_CONTEXT = b"concordat mark 1"
MARK = "mark"
"""The AMQP type of a mark; which of the two it is, its seal says."""
MARK_SECONDS = 30.0
PATIENCE = 2.0
"""Seconds to wait for the confirm, at most what the deadline leaves."""
RECORD_LIMIT = 256 * 1024
"""Bytes of a sealed record: ids and names of sections, a hundred objects at most."""
MOST_RANGES = 32
"""Ranges of doubtful numbers that a record tells; more are told as fewer, wider ones."""

Ranges = tuple[tuple[int, int], ...]


class Keeper:
    """Publishes records of one process. Several may be on their way at once."""

    def __init__(self, confirms: Confirms, keyring: Keyring, service: str) -> None:
        self._confirms, self._keyring, self._service = confirms, keyring, service
        self._publisher = uuid.uuid4().hex
        self._last = 0
        self._doubtful: set[int] = set()

    def keep(self, record: BaseModel) -> None:
        """Return once `record` is safe. Raises Unavailable: nothing may be shown then.

        Its fields `service`, `publisher`, `number` and `doubtful` are filled in here.
        """
        serving = context.current()
        patience = PATIENCE if serving is None else min(PATIENCE, serving.deadline.left())
        if patience <= 0:
            raise DeadlineExpired
        told = frozenset(self._doubtful)
        # Nothing waits from here to the end of `_publish`: a number is used up when its message is on its
        # way, and messages leave in the order of their numbers.
        number, ticket = self._publish(record, told)
        confirmed = False
        try:
            confirmed = self._confirms.wait([ticket], patience)
        finally:
            if not confirmed:
                self._doubtful.add(number)
        if not confirmed:
            raise Unavailable(cause=f"record not confirmed: {ticket.outcome}")
        self._doubtful -= told

    def mark(self, *, ended: bool = False) -> bool:
        """Say how far this process has counted; whether that is safe. Nothing is said before the first."""
        if self._last == 0:
            return True
        mark = Mark(
            service=self._service,
            publisher=self._publisher,
            last=self._last,
            doubtful=ranges(self._doubtful),
            ended=ended,
        )
        body = self._keyring.seal(RECORDER, mark.model_dump_json().encode(), 0, MARK_CONTEXT)
        properties = {"content_type": CONTENT_TYPE, "delivery_mode": 2, "type": MARK}
        try:
            ticket = self._confirms.publish(INTAKE, INTAKE, body, properties)
        except ConcordatError:
            return False
        return self._confirms.wait([ticket], PATIENCE)

    def _publish(self, record: BaseModel, told: frozenset[int]) -> tuple[int, Ticket]:
        number = self._last + 1
        body = self._seal(record, number, told)
        properties = {"content_type": CONTENT_TYPE, "delivery_mode": 2}
        ticket = self._confirms.publish(INTAKE, INTAKE, body, properties)
        self._last = number
        return number, ticket

    def _seal(self, record: BaseModel, number: int, doubtful: Iterable[int]) -> bytes:
        numbered = record.model_copy(
            update={
                "service": self._service,
                "publisher": self._publisher,
                "number": number,
                "doubtful": ranges(doubtful),
            }
        )
        body = self._keyring.seal(RECORDER, numbered.model_dump_json().encode(), 0, CONTEXT)
        if len(body) > RECORD_LIMIT:
            raise Internal(cause="record: too many objects")
        return body


def ranges(numbers: Iterable[int]) -> Ranges:
    """The numbers as few ranges (first, last); beyond `MOST_RANGES` the narrowest holes are told as well."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    while len(found) > MOST_RANGES:
        at = min(range(1, len(found)), key=lambda place: found[place][0] - found[place - 1][1])
        found[at - 1 : at + 1] = [(found[at - 1][0], found[at][1])]
    return tuple(found)


class Recording(DependencyProvider):  # type: ignore[misc]
    """Gives a service its `Keeper`."""

    channel = ConfirmChannel()

    def setup(self) -> None:
        bus = self.channel.bus
        self._keeper = Keeper(self.channel.confirms, bus.keyring, self.container.service_name)

    def start(self) -> None:
        self._marking = eventlet.spawn(self._mark)

    def _mark(self) -> None:
        while True:
            eventlet.sleep(MARK_SECONDS)
            self._keeper.mark()

    def stop(self) -> None:
        """All work has ended; the connection is there still."""
        self._marking.kill()
        self._keeper.mark(ended=True)

    def get_dependency(self, worker_ctx: object) -> Keeper:
        return self._keeper
