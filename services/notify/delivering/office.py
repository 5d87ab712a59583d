"""Sends couriers to the subscriptions that have something due. One per process."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

from services.notify.delivering.courier import Courier
from services.notify.delivering.push import Tools
from services.notify.stores.deliveries import DeliveryStore
from services.notify.stores.subscriptions import SubscriptionStore

MOST_COURIERS = 64
LOOKED_AT = 200
NOT_OURS_SECONDS = 1.0
FORGOTTEN_AT_ONCE = 500


class Office:
    """`turn` is called again and again. Its couriers work side by side, in threads."""

    def __init__(self, subscriptions: SubscriptionStore, deliveries: DeliveryStore) -> None:
        self._subscriptions, self._deliveries = subscriptions, deliveries
        self._holder = uuid.uuid4().hex
        self._out: set[str] = set()
        self._not_ours: dict[str, float] = {}

    def turn(self, tools: Tools) -> None:
        """Begin what is due and is nobody else's."""
        now = time.monotonic()
        self._not_ours = {one: until for one, until in self._not_ours.items() if until > now}
        for subscription_id in self._deliveries.due_subscriptions(datetime.now(UTC), LOOKED_AT):
            if len(self._out) >= MOST_COURIERS:
                return
            if subscription_id not in self._out and subscription_id not in self._not_ours:
                self._begin(subscription_id, tools)

    def _begin(self, subscription_id: str, tools: Tools) -> None:
        asked = time.monotonic()
        # Each courier holds under a name of its own: one that was frozen cannot go on for its successor.
        holder = f"{self._holder}-{uuid.uuid4().hex[:8]}"
        subscription = self._subscriptions.take(subscription_id, holder, tools.settings.notify_lease_seconds)
        if subscription is None:
            self._not_ours[subscription_id] = asked + NOT_OURS_SECONDS
            self._clear_up(subscription_id)
            return
        self._out.add(subscription_id)
        Courier(tools, subscription, holder, asked, lambda: self._out.discard(subscription_id)).start()

    def _clear_up(self, subscription_id: str) -> None:
        """What came for one that was just disabled or deleted."""
        state = self._subscriptions.state(subscription_id)
        if state == "disabled":
            self._deliveries.fail_all(subscription_id)
        elif state is None:
            self._deliveries.forget(subscription_id, FORGOTTEN_AT_ONCE)
