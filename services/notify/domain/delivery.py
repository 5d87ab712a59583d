"""One event on its way to one subscription: a small machine with named states.

    pending ──2xx──▶ delivered
       │ ▲──other──▶ pending, later; failed when the schedule has ended
       ├──410──────▶ failed, and the subscription is disabled
       └──may no longer know──▶ withheld
    delivered, failed, withheld ──send again──▶ pending

Its number (`sequence`) is given at the first authorised send and kept from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.contracts.subscriptions import DeliveryState
from services.notify.domain.checkpoints import Checkpoint
from services.notify.domain.items import Item
from services.notify.domain.schedule import Schedule

ErrorCode = Literal[
    "dns", "address_not_allowed", "connect", "tls", "timeout", "closed", "bad_answer", "subscription_disabled"
]
GONE = 410

Told = Item | Checkpoint
"""What is delivered."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One push: the receiver's status, or why there was none."""

    at: datetime
    ms: int
    status: int | None = None
    error: ErrorCode | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """`tries` and `armed_at` count from the beginning, or from when it was last sent again."""

    id: str
    subscription_id: str
    client_id: str
    item: Told
    state: DeliveryState
    sequence: int | None
    attempts: tuple[Attempt, ...]
    due: datetime | None
    tries: int
    armed_at: datetime

    @property
    def lane(self) -> str:
        """Deliveries of one lane are made in order."""
        return self.item.lane


@dataclass(frozen=True, slots=True)
class Step:
    """What an attempt leads to."""

    state: DeliveryState
    due: datetime | None = None
    disables: bool = False


def after(attempt: Attempt, delivery: Delivery, schedule: Schedule, now: datetime, chance: float) -> Step:
    """The state of `delivery` once `attempt` has been made."""
    if attempt.succeeded:
        return Step("delivered")
    if attempt.status == GONE:
        return Step("failed", disables=True)
    due = schedule.next_at(delivery.tries + 1, delivery.armed_at, now, chance)
    return Step("failed") if due is None else Step("pending", due)
