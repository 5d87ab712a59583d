"""Messages that arrive twice, late, or in another order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

import amqp

from services.chassis.topology import CALLS, event_exchange, event_queue, rpc_queue
from tests.faults.detour import Detour, Plan
from tests.faults.fault import Breakage
from tests.faults.stage import Setup, Stage


class Way(NamedTuple):
    """From where to where; without a queue to the one that the routing key names."""

    exchange: str
    pattern: str
    queue: str | None


REQUESTS = (Way(CALLS, "echo.*", rpc_queue("echo")), Way(CALLS, "mirror.*", rpc_queue("mirror")))
EVENTS = (Way(event_exchange("echo"), "#", event_queue("echo", "mirror")),)
REPLIES = (Way(CALLS, "rpc.*", None),)


class Deliveries(Breakage):
    """`plan` decides about each message of `ways`; with `beside` on top of its own delivery."""

    def __init__(
        self,
        name: str,
        ways: Sequence[Way],
        plan: Plan,
        hold: float,
        *,
        beside: bool,
        setup: Setup | None = None,
    ) -> None:
        self.name, self.hold, self._ways, self._plan, self._beside = name, hold, ways, plan, beside
        self.setup = setup or Setup()

    def inject(self, stage: Stage) -> None:
        self._detours = [Detour(stage, *way, self._plan, beside=self._beside) for way in self._ways]

    def end(self, stage: Stage) -> None:
        for detour in self._detours:
            detour.close()
        for way, detour in zip(self._ways, self._detours, strict=True):
            if not detour.delivered:
                raise RuntimeError(f"nothing came by from {way.exchange} to {way.queue}: nothing was tried")


def duplicated(hold: float, setup: Setup | None = None) -> Deliveries:
    """Everything arrives twice more: at once, and after its call is over."""
    return Deliveries(
        "duplicated deliveries",
        (*REQUESTS, *EVENTS, *REPLIES),
        lambda _: (0.0, 0.5),
        hold,
        beside=True,
        setup=setup,
    )


def twice_in_any_order(hold: float) -> Deliveries:
    """Everything arrives twice, each time within 0.4 s and in any order."""
    chance = random.Random(2)
    ways = (*REQUESTS, *EVENTS)
    return Deliveries(
        "doubled and reordered deliveries",
        ways,
        lambda _: (chance.random() * 0.4, chance.random() * 0.4),
        hold,
        beside=False,
    )


def delayed(hold: float) -> Deliveries:
    """Everything arrives 0.4 s late."""
    return Deliveries("delayed deliveries", (*REQUESTS, *EVENTS), lambda _: (0.4,), hold, beside=False)


def reordered(hold: float) -> Deliveries:
    """Everything arrives within 0.3 s in any order; each tenth event comes three seconds late."""
    chance, count = random.Random(1), itertools.count(1)

    def plan(message: amqp.Message) -> tuple[float]:
        late = message.delivery_info["exchange"] != CALLS and next(count) % 10 == 0
        return (3.0 if late else chance.random() * 0.3,)

    return Deliveries("reordered deliveries", (*REQUESTS, *EVENTS), plan, hold, beside=False)
