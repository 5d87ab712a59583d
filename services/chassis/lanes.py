"""Deliveries of one aggregate one after the other, those of different aggregates side by side."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import eventlet
from eventlet.event import Event as Signal

from services.chassis.deliveries import Delivery
from services.chassis.logs import log

Settle = Callable[[Delivery], float | None]
"""Deal with a delivery. None: done. Else: look again after so many seconds, or when another arrives."""

AFTER_ERROR = 1.0


@dataclass(slots=True)
class _Lane:
    waiting: list[Delivery] = field(default_factory=list)
    changed: Signal = field(default_factory=Signal)


class Lanes:
    """A greenlet for each aggregate that has something waiting. The lowest number is first in line."""

    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self._lanes: dict[str, _Lane] = {}

    def add(self, delivery: Delivery) -> None:
        aggregate = delivery.event.subject
        lane = self._lanes.get(aggregate)
        if lane is None:
            lane = self._lanes[aggregate] = _Lane()
            eventlet.spawn(self._run, aggregate, lane)
        heapq.heappush(lane.waiting, delivery)
        self._tell(lane)

    @property
    def idle(self) -> bool:
        return not self._lanes

    def look(self) -> None:
        """Have every lane look again now."""
        for lane in self._lanes.values():
            self._tell(lane)

    @staticmethod
    def _tell(lane: _Lane) -> None:
        if not lane.changed.ready():
            lane.changed.send()

    def _run(self, aggregate: str, lane: _Lane) -> None:
        while lane.waiting:
            first = lane.waiting[0]
            lane.changed = Signal()
            pause = self._try(first)
            if pause is None:
                lane.waiting.remove(first)  # another may have come before it meanwhile
                heapq.heapify(lane.waiting)
            elif pause > 0:
                lane.changed.wait(pause)
        del self._lanes[aggregate]

    def _try(self, delivery: Delivery) -> float | None:
        try:
            return self._settle(delivery)
        except Exception as problem:
            log.error("event_stuck", event_id=delivery.event.id, exc_info=problem)
            return AFTER_ERROR
