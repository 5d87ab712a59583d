"""One event, one transaction: its effect and the position that keeps it from taking effect again."""

from __future__ import annotations

from collections.abc import Callable

from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.mongo import Document, transact, within
from services.chassis.ordering import Verdict, advanced, decide, missing_before, passed_over
from services.chassis.positions import Positions
from services.contracts.envelope import Event

Handle = Callable[[Event, ClientSession], object]


class _NotNext(Exception):
    """The fast way, which only takes the next event, found another."""


class Applier:
    """Applies events to one service's database."""

    def __init__(self, database: Database[Document], *, dedupe: bool = True) -> None:
        """Without `dedupe` every delivery takes effect: for the fault harness, to see its checker fail."""
        self._client, self._positions, self._dedupe = database.client, Positions(database), dedupe

    def apply(self, event: Event, handle: Handle, deadline: Deadline) -> Verdict:
        """Apply `event` if it is its turn; say what it was. APPLY, LATE, DUPLICATE: it has taken effect.

        `handle` may run several times, and MUST pass its session to every operation. Raises what it raises,
        or a kind of Unavailable: then it is not known whether the effect is stored, and it is asked again.
        """
        if not self._dedupe:
            transact(self._client, deadline, lambda session: handle(event, session))
            return Verdict.APPLY
        try:
            transact(self._client, deadline, lambda session: self._next(event, handle, session))
        except _NotNext:
            return self._other(event, handle, deadline)
        return Verdict.APPLY

    def look(self, event: Event, deadline: Deadline) -> Verdict:
        """What `apply` would find, without trying."""
        if not self._dedupe:
            return Verdict.APPLY
        with within(deadline):
            return decide(self._positions.read(event), event.number, event.id)

    def give_up_missing(self, event: Event, deadline: Deadline) -> bool:
        """Record as skipped what should have come before `event`; say whether anything was missing."""

        def skip(session: ClientSession) -> bool:
            position = self._positions.read(event, session)
            missing = missing_before(position, event.number)
            if missing is not None:
                self._positions.write(event, passed_over(position, event.number), session)
                self._positions.record_gap(event, missing, "missing", session)
            return missing is not None

        return transact(self._client, deadline, skip)

    def give_up(self, event: Event, reason: str, deadline: Deadline) -> None:
        """Record `event` itself as skipped, if it is the next one: its successors go on without it."""

        def skip(session: ClientSession) -> None:
            position = self._positions.read(event, session)
            if decide(position, event.number, event.id) is Verdict.APPLY:
                self._positions.write(event, passed_over(position, event.number + 1), session)
                self._positions.record_gap(event, (event.number, event.number), reason, session)

        if self._dedupe:
            transact(self._client, deadline, skip)

    def _next(self, event: Event, handle: Handle, session: ClientSession) -> None:
        if not self._positions.step(event, session):
            raise _NotNext
        handle(event, session)

    def _other(self, event: Event, handle: Handle, deadline: Deadline) -> Verdict:
        verdict = self.look(event, deadline)
        if verdict is not Verdict.LATE:
            return (
                Verdict.EARLY if verdict is Verdict.APPLY else verdict
            )  # it became the next just now: look again
        return transact(self._client, deadline, lambda session: self._late(event, handle, session))

    def _late(self, event: Event, handle: Handle, session: ClientSession) -> Verdict:
        position = self._positions.read(event, session)
        verdict = decide(position, event.number, event.id)
        if verdict is Verdict.LATE:
            self._positions.write(event, advanced(position, event.number, event.id), session)
            handle(event, session)
        return verdict
