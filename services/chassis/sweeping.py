"""Looking after parked events: put back those that wait for nothing, and give up what does not come."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import eventlet

from services.chassis import metrics
from services.chassis.applying import Applier
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.chassis.parking import Parked, Parking
from services.contracts.envelope import Event

SWEEP_SECONDS = 1.0
DATABASE_SECONDS = 4.0


class _Watched(NamedTuple):
    waiting: str
    looks: int


class Sweeper:
    """One loop for each source. `put_back` publishes what is ready of an aggregate.

    A gap's age is the number of looks that found it. Time in which nobody could look, or the database was
    away, does not count: what is missing could not have come then either.
    """

    def __init__(
        self,
        source: str,
        parking: Parking,
        applier: Applier,
        put_back: Callable[[str, Deadline], None],
        gap_seconds: float,
    ) -> None:
        self._source, self._parking, self._applier, self._put_back = source, parking, applier, put_back
        self._interval = min(SWEEP_SECONDS, gap_seconds / 4)
        self._most_looks = gap_seconds / self._interval
        self._watched: dict[str, _Watched] = {}

    def run(self, ended: Callable[[], bool]) -> None:
        """Sweep until `ended`."""
        while True:
            eventlet.sleep(self._interval)
            if ended():
                return
            try:
                self.sweep()
            except Exception as problem:
                log.warning("sweep_failed", source=self._source, exc_info=problem)

    def sweep(self) -> None:
        """Look once at every aggregate of which events are parked."""
        deadline = Deadline.after(DATABASE_SECONDS)
        keys = self._parking.waited_for(self._source, deadline)
        self._watched = {key: watched for key, watched in self._watched.items() if key in keys}
        for key in keys:
            self._look_at(key, deadline)

    def _look_at(self, key: str, deadline: Deadline) -> None:
        first = self._parking.first(key, deadline)
        if first is None:
            return
        before = self._watched.get(key)
        looks = before.looks + 1 if before and before.waiting == first.id else 1
        self._watched[key] = _Watched(first.id, looks)
        if looks > self._most_looks:
            self._give_up_missing(first, deadline)
        if looks > 1:  # seen for the first time, it most likely is being put back by who made it ready
            self._put_back(key, deadline)

    def _give_up_missing(self, first: Parked, deadline: Deadline) -> None:
        event = Event.from_json(first.body)
        if self._applier.give_up_missing(event, deadline):
            metrics.gap_skipped(self._source)
            log.error("event_gap_skipped", source=self._source, aggregate=event.subject, number=event.number)
