"""How far each aggregate's events have taken effect, stored beside the effects and in their transactions.

positions  {_id: "echo/notes/1", applied, recent: [{n, id}], skipped: [[first, last]], parked: true or absent,
            marks: how often `parked` was said}
gaps       {source, aggregate, first, last, reason, before, at}: numbers given up, for an operator
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo import ASCENDING, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from services.chassis.migrations import Step
from services.chassis.mongo import Document
from services.chassis.ordering import RECALL, Position, Span
from services.contracts.envelope import Event

_DUPLICATE = 11000


def key_of(event: Event) -> str:
    """What a position is kept by: one for each aggregate of each source."""
    return f"{event.producer}/{event.subject}"


class Positions:
    """The positions of one consuming service."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._gaps = database["positions"], database["gaps"]
        self._parked = database["parked"]

    def step(self, event: Event, session: ClientSession) -> bool:
        """Advance to `event` if it is the next and no later one is parked: the usual case, in one operation.

        False: that was not so, and the transaction MUST be given up.
        """
        return self.step_all([event], session)

    def step_all(self, events: Sequence[Event], session: ClientSession) -> bool:
        """The same for one event each of several aggregates. False: it was not so for at least one."""
        try:
            done = self._rows.bulk_write([_step(event) for event in events], ordered=False, session=session)
        except BulkWriteError as problem:
            if _only_duplicates(problem):  # of an upsert: that aggregate has a position, and not that one
                return False
            raise
        return done.matched_count + done.upserted_count == len(events)

    def read(self, key: str, session: ClientSession | None = None) -> Position:
        """The position under `key`; that of an aggregate never heard of is 0."""
        row = self._rows.find_one({"_id": key}, session=session)
        if row is None:
            return Position()
        return Position(
            row["applied"],
            tuple((item["n"], item["id"]) for item in row.get("recent", ())),
            tuple((first, last) for first, last in row.get("skipped", ())),
            row.get("parked", False),
        )

    def write(self, key: str, position: Position, session: ClientSession) -> None:
        """Replace the position that was read in this transaction. It fails if another changed it since."""
        row = {
            "applied": position.applied,
            "recent": [{"n": number, "id": id_} for number, id_ in position.recent],
            "skipped": [list(span) for span in position.skipped],
            **({"parked": True} if position.parked else {}),
        }
        self._rows.replace_one({"_id": key}, row, upsert=True, session=session)

    def mark(self, key: str, parked: bool, session: ClientSession) -> None:
        """Say whether events of the aggregate are parked. Conflicts with who advances or marks it meanwhile.

        It counts, because MongoDB does not write a document that an update leaves as it was, and then nothing
        conflicts: an event parked while another instance forgot the last one would stay unmarked, for good.
        """
        change = {"$set": {"parked": True}} if parked else {"$unset": {"parked": True}}
        self._rows.update_one(
            {"_id": key},
            {**change, "$inc": {"marks": 1}, "$setOnInsert": {"applied": 0}},
            upsert=parked,
            session=session,
        )

    def waited_for(self, source: str, limit: int) -> list[str]:
        """The keys of aggregates of `source` of which events are parked."""
        rows = self._rows.find(
            {"parked": True, "_id": {"$gte": f"{source}/", "$lt": f"{source}0"}}, {"_id": True}
        )
        return [row["_id"] for row in rows.limit(limit)]

    def furthest(self, keys: Sequence[str]) -> dict[str, int]:
        """The highest number that has come of each, in effect or parked; one never heard of is absent."""
        found = {
            row["_id"]: int(row["applied"])
            for row in self._rows.find({"_id": {"$in": list(keys)}}, {"applied": True})
        }
        for row in self._parked.find({"key": {"$in": list(found)}}, {"key": True, "number": True}):
            found[row["key"]] = max(found[row["key"]], int(row["number"]))
        return found

    def record_gap(self, event: Event, span: Span, reason: str, session: ClientSession) -> None:
        """Keep for an operator that `span` was given up so that events up to `event` could go on."""
        first, last = span
        self._gaps.insert_one(
            {
                "source": event.producer,
                "aggregate": event.subject,
                "first": first,
                "last": last,
                "reason": reason,
                "before": event.id,
                "at": datetime.now(UTC),
            },
            session=session,
        )


def _step(event: Event) -> UpdateOne:
    recent = {"$each": [{"n": event.number, "id": event.id}], "$slice": -RECALL}
    return UpdateOne(
        {"_id": key_of(event), "applied": event.number - 1, "parked": None},
        {"$set": {"applied": event.number}, "$push": {"recent": recent}},
        upsert=event.number == 1,
    )


def _only_duplicates(problem: BulkWriteError) -> bool:
    errors = (problem.details or {}).get("writeErrors", [])
    return bool(errors) and all(one.get("code") == _DUPLICATE for one in errors)


def _make_indexes(database: Database[Document]) -> None:
    database["gaps"].create_index([("at", ASCENDING)], name="at")
    database["positions"].create_index(
        [("parked", ASCENDING)], name="parked", partialFilterExpression={"parked": True}
    )
    database["parked"].create_index([("key", ASCENDING), ("number", ASCENDING)], name="key_number")


STEPS = (Step("positions_indexes", _make_indexes),)
"""For the migrations of every service that consumes events."""
