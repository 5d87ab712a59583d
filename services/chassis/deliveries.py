"""One event as a queue delivered it. What cannot be an event is Poison, and says why without quoting it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import amqp
from pydantic import ValidationError

from services.chassis.retries import QUEUE, REASON, Trail
from services.contracts.envelope import MEDIA_TYPE, Event

BODY_LIMIT = 256 * 1024
"""Bytes. Events hold ids only."""
TOO_LARGE = "too_large"


class Poison(Exception):
    """This message can never be handled. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _now() -> float:
    return time.monotonic()


@dataclass(slots=True, eq=False)
class Delivery:
    """A message in hand, not yet acknowledged."""

    message: amqp.Message
    event: Event
    trail: Trail
    arrived: float = field(default_factory=_now)
    early_since: float | None = None
    """When it was found to wait for predecessors."""
    looks: int = 0
    """How often it was found so."""
    stalled_since: float | None = None
    """When a part that it needs was found to be away."""
    stalls: int = 0
    buried: str = ""
    """Why a copy is in the dead-letter queue, if one is."""

    def __lt__(self, other: Delivery) -> bool:
        return self.event.number < other.event.number

    @property
    def held(self) -> float:
        """Seconds since it arrived."""
        return time.monotonic() - self.arrived

    def early(self) -> float:
        """It was found early again. Seconds since the first time."""
        self.looks += 1
        self.early_since = self.early_since or time.monotonic()
        return time.monotonic() - self.early_since

    def stalled(self) -> float:
        """Nothing could be done again. Seconds since the first time."""
        self.stalls += 1
        self.stalled_since = self.stalled_since or time.monotonic()
        return time.monotonic() - self.stalled_since


def open_delivery(message: amqp.Message, source: str) -> Delivery:
    """Read a message from a queue of `source`'s events. Raises Poison."""
    properties = message.properties
    if properties.get("content_type") != MEDIA_TYPE:
        raise Poison("content_type")
    if properties.get("content_encoding"):
        raise Poison("content_encoding")
    body = body_of(message)
    if len(body) > BODY_LIMIT:
        raise Poison(TOO_LARGE)
    try:
        event = Event.from_json(body)
    except ValidationError:
        raise Poison("not_an_event") from None
    if event.producer != source:
        raise Poison("other_source")
    return Delivery(message, event, Trail.read(properties.get("application_headers"), time.time()))


def body_of(message: amqp.Message) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def fingerprint(message: amqp.Message) -> str:
    """What may be logged of a body."""
    return hashlib.sha256(body_of(message)).hexdigest()


def again(event_id: str, trail: Trail, milliseconds: int | None = None) -> dict[str, Any]:
    """The properties with which an event goes to a retry queue for so long, or back to its own queue."""
    return {
        "content_type": MEDIA_TYPE,
        "delivery_mode": 2,
        "message_id": event_id,
        "application_headers": trail.headers(),
        **({} if milliseconds is None else {"expiration": str(milliseconds)}),
    }


def dead(message: amqp.Message, trail: Trail, queue: str, reason: str) -> dict[str, Any]:
    """The properties with which a message goes to the dead-letter queue: what a replay needs is kept."""
    content_type = message.properties.get("content_type")
    return {
        **({"content_type": content_type} if isinstance(content_type, str) else {}),
        "delivery_mode": 2,
        "application_headers": {**trail.headers(), REASON: reason, QUEUE: queue},
    }
