"""Where early events wait, for seconds or minutes, until what is missing before them came or was given up.

    parked  {_id: event id, key: "echo/notes/1", number, body, attempts, first_at_ms}

Not in retry queues: those give back at times and in an order of their own, and each would wait for the one
before it to come round (measured: 100 events took minutes). From here they go back in order, at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pymongo import ASCENDING
from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.chassis.deadline import Deadline
from services.chassis.mongo import Document, transact, within
from services.chassis.ordering import Verdict, decide
from services.chassis.positions import Positions, key_of
from services.chassis.retries import Trail
from services.contracts.envelope import Event

AT_ONCE = 100
"""Events put back together; the last of them brings the next."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One event that waits."""

    id: str
    number: int
    body: bytes
    trail: Trail


class Parking:
    """The events that one consuming service has parked."""

    def __init__(self, database: Database[Document]) -> None:
        self._client, self._rows, self._positions = database.client, database["parked"], Positions(database)

    def park(self, event: Event, trail: Trail, deadline: Deadline) -> bool:
        """Keep an early event; False if it is early no more. Once kept, its delivery may be acknowledged."""
        key = key_of(event)

        def keep(session: ClientSession) -> bool:
            position = self._positions.read(key, session)
            if decide(position, event.number, event.id) is not Verdict.EARLY:
                return False
            # Whoever applies the number before now either sees the mark or fails, and looks again.
            self._positions.mark(key, True, session)
            self._rows.replace_one({"_id": event.id}, _row(key, event, trail), upsert=True, session=session)
            return True

        return transact(self._client, deadline, keep)

    def ready(self, key: str, deadline: Deadline) -> list[Parked]:
        """What waits no more, in order: up to the next missing number."""
        with within(deadline):
            expected = self._positions.read(key).applied + 1
            rows = self._rows.find({"key": key, "number": {"$lt": expected + AT_ONCE}})
            found = [_parked(row) for row in rows.sort("number", ASCENDING).limit(AT_ONCE)]
        run: list[Parked] = []
        for parked in found:
            if parked.number > expected:
                break
            expected = max(expected, parked.number + 1)
            run.append(parked)
        return run

    def first(self, key: str, deadline: Deadline) -> Parked | None:
        """The lowest number that waits."""
        with within(deadline):
            row = self._rows.find_one({"key": key}, sort=[("number", ASCENDING)])
        return None if row is None else _parked(row)

    def forget(self, key: str, ids: Iterable[str], deadline: Deadline) -> None:
        """They are back in the queue."""
        gone = list(ids)

        def clear(session: ClientSession) -> None:
            self._rows.delete_many({"_id": {"$in": gone}}, session=session)
            if self._rows.find_one({"key": key}, {"_id": True}, session=session) is None:
                self._positions.mark(key, False, session)

        transact(self._client, deadline, clear)

    def waited_for(self, source: str, deadline: Deadline) -> list[str]:
        """The aggregates of which something is parked; not more than can be looked at in one go."""
        with within(deadline):
            return self._positions.waited_for(source, AT_ONCE)


def _row(key: str, event: Event, trail: Trail) -> Document:
    return {
        "key": key,
        "number": event.number,
        "body": event.to_json(),
        "attempts": trail.attempts,
        "first_at_ms": trail.first_at_ms,
    }


def _parked(row: Document) -> Parked:
    return Parked(row["_id"], row["number"], row["body"], Trail(row["first_at_ms"], row["attempts"]))
