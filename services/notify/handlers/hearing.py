"""How far events were heard: for a producer that has lost count, because an older copy of it was put back."""

from __future__ import annotations

from services.chassis.rpc import rpc
from services.contracts.restores import EventsHeard, GetEventsHeard
from services.notify.stores.heard import HeardStore


class Hearing:
    heard: HeardStore

    @rpc(callers=("sharing",))
    def events_heard(self, request: GetEventsHeard) -> EventsHeard:
        """The highest number of an event of `sharing` that has come, by case."""
        return EventsHeard(numbers=self.heard.of_cases("sharing", request.case_ids))
