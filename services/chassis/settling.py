"""What becomes of one delivery: applied, held, put off or put aside. Acknowledged last, when it is safe.

apply ─▶ applied, late, duplicate ─▶ ack
      ─▶ early ─▶ hold a moment ─▶ park it ─▶ ack; put back when its turn comes
      ─▶ handler failed ─▶ retry queue, counted ─▶ … ─▶ dead-letter queue, its successors go on
      ─▶ database or peer away ─▶ hold ─▶ retry queue, not counted
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import amqp
from pydantic import ValidationError

from services.chassis import deliveries, metrics
from services.chassis.applying import Applier, Handle, Result
from services.chassis.confirms import Confirms
from services.chassis.context import Context, use
from services.chassis.deadline import Deadline
from services.chassis.deliveries import Delivery, Poison, fingerprint
from services.chassis.logs import log
from services.chassis.ordering import Verdict
from services.chassis.parking import Parking
from services.chassis.positions import key_of
from services.chassis.retries import Trail, jittered, tier_after_failure
from services.chassis.topology import dead_queue, event_queue, retry_exchange, retry_queue
from services.chassis.tracing import span
from services.contracts.errors import ConcordatError, Unavailable

HOLD_EARLY, GRACE = 0.5, 0.1
"""Seconds in memory, since arrival and since a first look: another instance may be at its predecessors."""
HOLD_AWAY = 10.0
"""Seconds in memory for one that could not be applied because a part was away: order is kept best here."""
LOOK_FIRST, LOOK_MOST = 0.005, 0.1
STALL_FIRST, STALL_MOST = 0.1, 1.0
CONFIRM_SECONDS = 5.0
AWAY_TIER = 4000

Acknowledge = Callable[[amqp.Message], None]


class Settling:
    """The fate of the deliveries from one source to one service."""

    def __init__(
        self,
        service: str,
        source: str,
        *,
        applier: Applier,
        parking: Parking,
        handler_of: Callable[[str], Handle],
        confirms: Confirms,
        acknowledge: Acknowledge,
        seconds: float,
    ) -> None:
        """`handler_of` gives what applies events of a type; `seconds` is the time for each application."""
        self._service, self._source, self._queue = service, source, event_queue(source, service)
        self._applier, self._parking, self._handler_of = applier, parking, handler_of
        self._confirms, self._acknowledge, self._seconds = confirms, acknowledge, seconds

    def settle(self, delivery: Delivery) -> float | None:
        """None when the delivery is acknowledged, else the seconds after which to settle it again."""
        event, deadline = delivery.event, Deadline.after(self._seconds)
        serving = Context(event.id, deadline, event.traceparent, self._source)
        with use(serving), span(event.type, event.traceparent):
            try:
                if delivery.buried:
                    return self._bury(delivery, delivery.buried, delivery.trail)
                return self._by_result(delivery, self._result(delivery, deadline), deadline)
            except Unavailable as problem:
                return self._away(delivery, problem)
            except Exception as problem:
                return self._failed(delivery, problem)

    def put_aside(self, message: amqp.Message, reason: str, trail: Trail) -> bool:
        """Move a message to the dead-letter queue; False if that is not sure, and it is still in hand."""
        properties = deliveries.dead(message, trail, self._queue, reason)
        if not self._publish(dead_queue(self._service), message, properties):
            return False
        log.error("event_dead", queue=self._queue, reason=reason, body_sha256=fingerprint(message))
        metrics.dead_lettered(self._queue, reason)
        return True

    def put_aside_poison(self, message: amqp.Message, poison: Poison) -> bool:
        """At once: trying again cannot help."""
        trail = Trail.read(message.properties.get("application_headers"), datetime.now(UTC).timestamp())
        done = self.put_aside(message, poison.reason, trail)
        if done:
            self._acknowledge(message)
        return done

    def put_back(self, key: str, deadline: Deadline) -> None:
        """Put parked events whose turn has come back into their queue, in order; what fails stays parked."""
        ready = self._parking.ready(key, deadline)
        if not ready:
            return
        exchange = retry_exchange(self._service)
        tickets = {
            parked.id: self._confirms.publish(
                exchange, self._queue, parked.body, deliveries.again(parked.id, parked.trail)
            )
            for parked in ready
        }
        self._confirms.wait(tickets.values(), CONFIRM_SECONDS)
        self._parking.forget(key, [id_ for id_, ticket in tickets.items() if ticket.confirmed], deadline)

    def _result(self, delivery: Delivery, deadline: Deadline) -> Result:
        if delivery.looks:  # most likely it is early still: a look is cheaper than a transaction given up
            verdict = self._applier.look(delivery.event, deadline)
            if verdict is Verdict.EARLY:
                return Result(verdict)
        return self._applier.apply(delivery.event, self._handler_of(delivery.event.type), deadline)

    def _by_result(self, delivery: Delivery, result: Result, deadline: Deadline) -> float | None:
        if result.verdict is Verdict.EARLY:
            return self._early(delivery, deadline)
        if result.verdict is Verdict.CONFLICT:
            return self._bury(delivery, "conflict", delivery.trail)
        if result.verdict is Verdict.APPLY:
            made = delivery.event.time
            metrics.event_applied(self._source, (datetime.now(UTC) - made).total_seconds())
        else:
            metrics.event_received(self._source, result.verdict.value)
        self._acknowledge(delivery.message)
        if result.awaited:
            self._go_on(delivery, deadline)
        return None

    def _go_on(self, delivery: Delivery, deadline: Deadline) -> None:
        try:
            self.put_back(key_of(delivery.event), deadline)
        except Exception as problem:  # the sweeper does it; the delivery is acknowledged already
            log.warning("parked_not_put_back", event_id=delivery.event.id, exc_info=problem)

    def _early(self, delivery: Delivery, deadline: Deadline) -> float | None:
        if delivery.early() < GRACE or delivery.held < HOLD_EARLY:
            return min(LOOK_FIRST * 2.0**delivery.looks, LOOK_MOST)
        if not self._parking.park(delivery.event, delivery.trail, deadline):
            return 0.0
        metrics.event_received(self._source, "early")
        self._acknowledge(delivery.message)
        return None

    def _away(self, delivery: Delivery, problem: Unavailable) -> float | None:
        """A part was away: wait for it. No attempt is burnt."""
        if delivery.stalled() < HOLD_AWAY:
            return min(STALL_FIRST * 2.0 ** (delivery.stalls - 1), STALL_MOST)
        log.warning("event_waits", event_id=delivery.event.id, code=problem.code, exc_info=problem)
        metrics.event_received(self._source, "retried")
        return self._put_off(delivery, delivery.trail, AWAY_TIER, jittered(AWAY_TIER))

    def _failed(self, delivery: Delivery, problem: Exception) -> float | None:
        trail = delivery.trail.failed()
        log.error(
            "event_failed",
            event_id=delivery.event.id,
            event_type=delivery.event.type,
            attempts=trail.attempts,
            exc_info=problem,
        )
        if isinstance(problem, ValidationError):  # its data is not what its type promises: it never will be
            return self._bury(delivery, "invalid_data", trail)
        if trail.exhausted:
            return self._bury(delivery, "attempts", trail)
        metrics.event_received(self._source, "retried")
        tier = tier_after_failure(trail.attempts)
        return self._put_off(delivery, trail, tier, jittered(tier))

    def _bury(self, delivery: Delivery, reason: str, trail: Trail) -> float | None:
        """Dead-letter an event, then let its successors go on: a replay of it is applied late, once."""
        if not delivery.buried and not self.put_aside(delivery.message, reason, trail):
            return STALL_MOST
        delivery.buried, awaited = reason, False
        if reason != "conflict":
            awaited = self._applier.give_up(delivery.event, reason, Deadline.after(self._seconds))
        self._acknowledge(delivery.message)
        if awaited:
            self._go_on(delivery, Deadline.after(self._seconds))
        return None

    def _put_off(self, delivery: Delivery, trail: Trail, tier: int, milliseconds: int) -> float | None:
        key = retry_queue(self._source, self._service, tier)
        if not self._publish(key, delivery.message, deliveries.again(delivery.event.id, trail, milliseconds)):
            return STALL_MOST
        self._acknowledge(delivery.message)
        return None

    def _publish(self, key: str, message: amqp.Message, properties: dict[str, Any]) -> bool:
        """Publish a copy; True once it is safe, so that the original may be acknowledged."""
        try:
            ticket = self._confirms.publish(
                retry_exchange(self._service), key, deliveries.body_of(message), properties
            )
        except ConcordatError:
            return False
        return self._confirms.wait([ticket], CONFIRM_SECONDS)
