"""What notify does by itself. Each of these is harmless when two instances do it at once."""

from __future__ import annotations

import time

from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.chassis.timers import every
from services.contracts.errors import Unavailable
from services.notify.delivering.push import Tools
from services.notify.handlers.parts import Parts

AWAY_SECONDS = 1.0
RESEALED_AT_ONCE = 100


class Sweeping(Parts):
    """Numbering, delivering, sealing anew."""

    @every(0.06)
    def number_items(self) -> None:
        """Give numbers to what came in, so that it is seen."""
        try:
            while self.items.number_waiting(Deadline.after(4.0)):
                pass
        except Unavailable as problem:
            _away(problem)

    @every(0.1)
    def deliver(self) -> None:
        """Send couriers to what is due."""
        tools = Tools(
            self.subscriptions, self.deliveries, self.sharing, self.records, self.safe, self.settings
        )
        try:
            self.office.turn(tools)
        except Unavailable as problem:
            _away(problem)

    @every(60.0)
    def seal_anew(self) -> None:
        """After a rotation of this service's keys: what the old one sealed is sealed with the new one."""
        kid = self.safe.kid
        for found in self.subscriptions.sealed_otherwise(kid, RESEALED_AT_ONCE):
            try:
                new_kid, secret = self.safe.seal(self.safe.open(found.kid, found.secret))
            except LookupError:
                log.error("secret_lost", reason="key ended", count=1)
                continue
            self.subscriptions.reseal(found.id, found.kid, new_kid, secret)


def _away(problem: Unavailable) -> None:
    log.warning("store_away", code=problem.code, exc_info=problem)
    time.sleep(AWAY_SECONDS)
