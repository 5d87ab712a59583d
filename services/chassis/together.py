"""Events that come at the same time, applied in one transaction: a commit costs as much as what it commits.

They are of different aggregates, as each aggregate's come one after the other (`lanes.py`). If one of them
cannot be applied, none of them is; then each goes its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import eventlet
from eventlet.semaphore import Semaphore
from pymongo.client_session import ClientSession

from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.contracts.envelope import Event
from services.contracts.errors import Unavailable

MOST = 50
"""Events in one transaction."""

HandleMany = Callable[[Sequence[Event], ClientSession], object]
ApplyAll = Callable[[Sequence[Event], HandleMany, Deadline], bool]


@dataclass(slots=True, eq=False)
class _Waiting:
    event: Event
    deadline: Deadline
    tried: bool = False
    applied: bool = False
    away: Unavailable | None = None


class Together:
    """A handler of several events at once. As a handler of a single one it is what it is for each of them."""

    def __init__(self, handle: HandleMany) -> None:
        self._handle = handle
        self._waiting: list[_Waiting] = []
        self._turn = Semaphore()

    def __call__(self, event: Event, session: ClientSession) -> None:
        self._handle([event], session)

    def took(self, event: Event, deadline: Deadline, apply_all: ApplyAll) -> bool:
        """Apply `event` with those that wait as well. False: it was not, and has to be applied by itself.

        Raises Unavailable: a part was away, and it is not known whether the effect is stored.
        """
        mine = _Waiting(event, deadline)
        self._waiting.append(mine)
        with self._turn:  # while others are applied, more come: who is first then takes all of them along
            if not mine.tried:
                eventlet.sleep(0)  # those that came with the same turn of the loop
                self._apply(self._next(), apply_all)
        if mine.away is not None:
            raise mine.away
        return mine.applied

    def _next(self) -> list[_Waiting]:
        group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        for one in group:
            one.tried = True
        return group

    def _apply(self, group: Sequence[_Waiting], apply_all: ApplyAll) -> None:
        deadline = max((one.deadline for one in group), key=lambda one: one.at)
        try:
            applied = apply_all([one.event for one in group], self._handle, deadline)
        except Unavailable as problem:
            for one in group:
                one.away = problem
        except Exception as problem:  # each by itself finds out whose fault it is
            log.warning("events_not_together", count=len(group), exc_info=problem)
        else:
            for one in group:
                one.applied = applied
