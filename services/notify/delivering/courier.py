"""Delivers to one subscription, as long as there is something due: several lanes at once, each in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from services.chassis.context import Context, use
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.contracts.envelope import new_event_id
from services.notify.delivering.push import Push, Tools
from services.notify.domain.delivery import Delivery
from services.notify.stores.subscriptions import Subscription

SAFE_SHARE = 0.7
"""Of the lease, counted from before it was asked for: what may be relied on."""
RENEW_EVERY = 1.0
IDLE_LOOK = 0.25
"""Seconds after which it looks for new work while pushes are on their way."""


class Courier:
    """Runs in a thread of its own, from a lease that was taken until nothing is due."""

    def __init__(
        self, tools: Tools, subscription: Subscription, holder: str, taken: float, ended: Callable[[], None]
    ) -> None:
        """`taken`: the monotonic time before the lease was asked for."""
        self._tools, self._subscription, self._holder, self._ended = tools, subscription, holder, ended
        self._taken, self._seconds = taken, tools.settings.notify_lease_seconds
        self._out: set[str] = set()
        self._changed = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def _holds(self) -> bool:
        return time.monotonic() < self._taken + self._seconds * SAFE_SHARE

    def _run(self) -> None:
        try:
            while self._round():
                self._changed.wait(IDLE_LOOK)
                self._changed.clear()
        except Exception as problem:  # the next one goes on when the lease has ended
            log.warning("courier_stopped", exc_info=problem)
        finally:
            self._give_up()
            self._ended()

    def _round(self) -> bool:
        """Send off what may go; False when there is nothing left to do."""
        with use(Context(new_event_id(), Deadline.after(4.0))):
            if not self._renewed():
                return False
            room = self._tools.settings.notify_concurrent_pushes - len(self._out)
            ready = self._ready() if room > 0 else []
            for delivery in ready[:room]:
                self._send(delivery)
            if not ready and not self._out:
                self._tools.deliveries.hold_behind(self._subscription.id, datetime.now(UTC))
        return bool(self._out)

    def _renewed(self) -> bool:
        asked = time.monotonic()
        # Each second anew, for the address may have been changed.
        if asked > self._taken + min(self._seconds / 4, RENEW_EVERY):
            subscription = self._tools.subscriptions.take(self._subscription.id, self._holder, self._seconds)
            if subscription is None:  # disabled, deleted, or another's
                return False
            self._subscription, self._taken = subscription, asked
        return True

    def _ready(self) -> list[Delivery]:
        # A push that ends while this is read leaves its lane, and what was read of that is old.
        busy = set(self._out)
        found = self._tools.deliveries.heads(self._subscription.id, datetime.now(UTC))
        return [delivery for delivery in found if delivery.lane not in busy]

    def _send(self, delivery: Delivery) -> None:
        self._out.add(delivery.lane)
        threading.Thread(target=self._push, args=(delivery,), daemon=True).start()

    def _push(self, delivery: Delivery) -> None:
        try:
            Push(self._tools, self._subscription, delivery, self._holder, lambda: self._holds).run()
        except Exception as problem:  # it is pending still
            log.error("push_failed", exc_info=problem)
        finally:
            self._out.discard(delivery.lane)
            self._changed.set()

    def _give_up(self) -> None:
        """A push on its way finds the lease gone before it sends, or ends as it would have."""
        self._taken = float("-inf")
        try:
            with use(Context(new_event_id(), Deadline.after(2.0))):
                self._tools.subscriptions.release(self._subscription.id, self._holder)
        except Exception as problem:  # it ends by itself
            log.warning("lease_not_released", exc_info=problem)
