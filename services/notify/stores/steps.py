"""Every migration of notify's database, in order."""

from __future__ import annotations

from services.chassis import outbox, positions
from services.notify.stores import deliveries, items, marks, subscriptions

STEPS = (
    *outbox.STEPS,
    *positions.STEPS,
    *items.STEPS,
    *marks.STEPS,
    *subscriptions.STEPS,
    *deliveries.STEPS,
)
