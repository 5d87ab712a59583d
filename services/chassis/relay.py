"""Takes events out of the outbox to the broker, in order, by one process of a service at a time.

An event leaves the outbox only after the broker confirmed it. A relay that dies between confirm and record,
or wakes up after its lease went to another, publishes twice: consumers apply once, by number and id.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import eventlet
from eventlet.event import Event as Signal

from services.chassis import metrics
from services.chassis.confirms import Confirms, Ticket
from services.chassis.deadline import Deadline
from services.chassis.lease import Lease
from services.chassis.logs import log
from services.chassis.mongo import within
from services.chassis.outbox import Outbox, Waiting
from services.contracts.envelope import MEDIA_TYPE
from services.contracts.errors import ConcordatError

BATCH = 200
IDLE, ACTIVE, GATHER = 0.05, 0.025, 0.02
"""Seconds between looks, with nothing lately or something; after a signal under load, to find several."""
ACTIVE_FOR = 1.0
BACK_OFF_FIRST, BACK_OFF_MOST = 0.1, 3.0
CONFIRM_SECONDS = 5.0
DATABASE_SECONDS = 4.0


def properties(event: Waiting) -> dict[str, Any]:
    return {"content_type": MEDIA_TYPE, "delivery_mode": 2, "message_id": event.id}


class Relay:
    """One loop. `mandatory` unless nobody subscribes; `confirm=False` only for the fault harness."""

    def __init__(
        self,
        outbox: Outbox,
        lease: Lease,
        confirms: Confirms,
        exchange: str,
        *,
        mandatory: bool = True,
        confirm: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox, self._lease, self._confirms, self._exchange = outbox, lease, confirms, exchange
        self._mandatory, self._confirm, self._clock = mandatory, confirm, clock
        self._back_off = 0.0
        self._active_at = float("-inf")
        self._signal = Signal()
        self._finishing = False

    def wake(self) -> None:
        """There is something new in the outbox."""
        if not self._signal.ready():
            self._signal.send()

    def run(self) -> None:
        """Relay until told to finish, and then once more."""
        finishing = False
        while not finishing:
            finishing = self._finishing
            try:
                pause = self.turn()
            except Exception as problem:
                pause = self._failed("database" if isinstance(problem, ConcordatError) else "error")
                log.warning("relay_failed", exc_info=problem)
            if pause and not self._finishing:
                self._rest(pause)

    def turn(self) -> float:
        """Relay one batch; return how many seconds to rest. Raises what the database raises."""
        if not self._leads():
            return self._lease.retry_after
        if not self._confirms.usable:
            return IDLE
        with within(Deadline.after(DATABASE_SECONDS)):
            waiting = self._outbox.waiting(BATCH)
        self._tell_lag(waiting)
        if not waiting:
            self._back_off = 0.0
            return ACTIVE if self._clock() - self._active_at < ACTIVE_FOR else IDLE
        self._active_at = self._clock()
        return self._relay(waiting)

    def finish(self) -> None:
        """End `run` soon."""
        self._finishing = True
        self.wake()

    def hand_over(self) -> None:
        """Let another process take over at once. After `run` has ended."""
        if self._lease.held:
            try:
                with within(Deadline.after(1.0)):
                    self._lease.release()
            except Exception as problem:
                log.warning("lease_not_released", exc_info=problem)

    def _leads(self) -> bool:
        if self._lease.due:
            with within(Deadline.after(DATABASE_SECONDS)):
                return self._lease.take()
        return self._lease.held

    def _relay(self, waiting: list[Waiting]) -> float:
        tickets = self._publish(waiting)
        if self._confirm:
            self._confirms.wait(tickets.values(), CONFIRM_SECONDS)
        failed = [event for event in waiting if not self._is_sent(tickets.get(event.id))]
        self._record(waiting, failed)
        if not failed:
            self._back_off = 0.0
            return 0.0 if len(waiting) >= BATCH else ACTIVE
        outcomes = [
            ticket.outcome.value for ticket in tickets.values() if ticket.outcome and not ticket.confirmed
        ]
        return self._failed(outcomes[0] if outcomes else "interrupted", len(failed))

    def _is_sent(self, ticket: Ticket | None) -> bool:
        return ticket is not None and (ticket.confirmed or not self._confirm)

    def _record(self, waiting: list[Waiting], failed: list[Waiting]) -> None:
        """A record is done when all its events are; else they are all sent again."""
        sent = {event.record for event in waiting} - {event.record for event in failed}
        if sent:
            with within(Deadline.after(DATABASE_SECONDS)):
                self._outbox.mark_sent(sent)
        for event in waiting:
            if event.record in sent:
                metrics.event_relayed(event.type)

    def _publish(self, waiting: list[Waiting]) -> dict[str, Ticket]:
        tickets: dict[str, Ticket] = {}
        for event in waiting:
            # Looked at before each: this process may have been frozen since the last one.
            if not self._lease.held:
                break
            try:
                tickets[event.id] = self._confirms.publish(
                    self._exchange, event.type, event.body, properties(event), mandatory=self._mandatory
                )
            except ConcordatError:
                break
        return tickets

    def _failed(self, reason: str, count: int = 1) -> float:
        """An alarm: events wait longer than they should. Nothing is lost, they are tried again for ever."""
        metrics.relay_failed(reason)
        if count and reason not in {"database", "error"}:
            log.error("events_not_relayed", reason=reason, count=count, exchange=self._exchange)
        self._back_off = min(max(self._back_off * 2, BACK_OFF_FIRST), BACK_OFF_MOST)
        return self._back_off

    def _tell_lag(self, waiting: list[Waiting]) -> None:
        oldest = min((event.at for event in waiting), default=None)
        metrics.outbox_lag(0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds())

    def _rest(self, seconds: float) -> None:
        if self._back_off or not self._lease.held:
            eventlet.sleep(seconds)
            return
        self._signal.wait(seconds)
        if self._signal.ready() and self._clock() - self._active_at < GATHER * 0.75:
            eventlet.sleep(GATHER)
        self._signal = Signal()
