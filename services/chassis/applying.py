"""One event, one transaction: its effect and the position that keeps it from taking effect again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.mongo import Document, transact, within
from services.chassis.ordering import Verdict, advanced, decide, missing_before, passed_over
from services.chassis.positions import Positions, key_of
from services.chassis.together import HandleMany, Together
from services.contracts.envelope import Event

Handle = Callable[[Event, ClientSession], object]


class Result(NamedTuple):
    """What an event was. APPLY, LATE, DUPLICATE: it has taken effect. `awaited`: parked ones may go on."""

    verdict: Verdict
    awaited: bool = False


class _NotNext(Exception):
    """The fast way, which only takes the next event, found another."""


class Applier:
    """Applies events to one service's database."""

    def __init__(self, database: Database[Document], *, dedupe: bool = True) -> None:
        """Without `dedupe` every delivery takes effect: for the fault harness, to see its checker fail."""
        self._client, self._positions, self._dedupe = database.client, Positions(database), dedupe

    def apply(self, event: Event, handle: Handle, deadline: Deadline) -> Result:
        """Apply `event` if it is its turn; say what it was.

        `handle` may run several times, and MUST pass its session to every operation. Raises what it raises,
        or a kind of Unavailable: then it is not known whether the effect is stored, and it is asked again.
        """
        if not self._dedupe:
            transact(self._client, deadline, lambda session: handle(event, session))
            return Result(Verdict.APPLY)
        if isinstance(handle, Together) and handle.took(event, deadline, self._apply_all):
            return Result(Verdict.APPLY)
        try:
            transact(self._client, deadline, lambda session: self._next(event, handle, session))
        except _NotNext:
            return self._other(event, handle, deadline)
        return Result(Verdict.APPLY)

    def look(self, event: Event, deadline: Deadline) -> Verdict:
        """What `apply` would find, without trying."""
        if not self._dedupe:
            return Verdict.APPLY
        with within(deadline):
            return decide(self._positions.read(key_of(event)), event.number, event.id)

    def give_up_missing(self, event: Event, deadline: Deadline) -> bool:
        """Record as skipped what should have come before `event`; say whether anything was missing."""
        key = key_of(event)

        def skip(session: ClientSession) -> bool:
            position = self._positions.read(key, session)
            missing = missing_before(position, event.number)
            if missing is not None:
                self._positions.write(key, passed_over(position, event.number), session)
                self._positions.record_gap(event, missing, "missing", session)
            return missing is not None

        return transact(self._client, deadline, skip)

    def give_up(self, event: Event, reason: str, deadline: Deadline) -> bool:
        """Record `event` itself as skipped, if it is the next one; say whether parked ones may go on now."""
        key = key_of(event)

        def skip(session: ClientSession) -> bool:
            position = self._positions.read(key, session)
            if decide(position, event.number, event.id) is Verdict.APPLY:
                self._positions.write(key, passed_over(position, event.number + 1), session)
                self._positions.record_gap(event, (event.number, event.number), reason, session)
            return position.parked

        return self._dedupe and transact(self._client, deadline, skip)

    def _apply_all(self, events: Sequence[Event], handle: HandleMany, deadline: Deadline) -> bool:
        """One transaction for the next events of several aggregates: all of them took effect, or none."""

        def all_of_them(session: ClientSession) -> None:
            if not self._positions.step_all(events, session):
                raise _NotNext
            handle(events, session)

        try:
            transact(self._client, deadline, all_of_them)
        except _NotNext:
            return False
        return True

    def _next(self, event: Event, handle: Handle, session: ClientSession) -> None:
        if not self._positions.step(event, session):
            raise _NotNext
        handle(event, session)

    def _other(self, event: Event, handle: Handle, deadline: Deadline) -> Result:
        verdict = self.look(event, deadline)
        if verdict not in {Verdict.APPLY, Verdict.LATE}:
            return Result(verdict)
        return transact(self._client, deadline, lambda session: self._judged(event, handle, session))

    def _judged(self, event: Event, handle: Handle, session: ClientSession) -> Result:
        position = self._positions.read(key_of(event), session)
        verdict = decide(position, event.number, event.id)
        if verdict in {Verdict.APPLY, Verdict.LATE}:
            self._positions.write(key_of(event), advanced(position, event.number, event.id), session)
            handle(event, session)
        return Result(verdict, position.parked)
