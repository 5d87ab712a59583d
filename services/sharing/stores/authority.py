"""The barrier of `identify`: how everything stands, read so that nothing acknowledged before is missed.

Where the replica set has more than one member the read of `standing` is linearizable: a deposed primary that
does not know it cannot answer it, and what is read after it sees all that was committed before it. One read
serves every request that came before it began.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import ClassVar, Literal
from weakref import WeakKeyDictionary

from pymongo.database import Database

from services.chassis import context
from services.chassis.coalescing import Coalesced
from services.chassis.deadline import Deadline
from services.chassis.mongo import Client, Document, in_time, linearizable, within
from services.contracts.errors import Unavailable
from services.sharing.domain.standing import StandingOn
from services.sharing.stores.standing import EMPTY, ID, standing_of

MOST_CARRIED = 500
"""Fences that a caller carries; with more it carries "all"."""
MOST_SHARED = 400
"""Fences that the barrier reads for everybody; with more, each request reads those of its agency."""

LEAST_SECONDS = 1.0
"""That the barrier's read gets, however little time is left to the one that runs it for all."""

Fences = dict[str, int] | Literal["all"]


class Present:
    """What one read of the barrier found."""

    def __init__(self, row: Document, fences: list[Document] | None, store: AuthorityStore) -> None:
        self._row, self._rows, self._store = row, fences, store

    def standing(self, today: date) -> StandingOn:
        """Reckoned once for each version and day: the same document says the same."""
        return self._store.reckoned(self._row, today)

    def fences(self, agency_id: str) -> Fences:
        """The least epoch of each case that callers of this agency must be judged by."""
        if self._rows is None:
            return self._store.fences_of(agency_id)
        found = self._by_agency.get(agency_id, {})
        return "all" if len(found) > MOST_CARRIED else found

    @cached_property
    def _by_agency(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for row in self._rows or ():
            for agency_id in row["agencies"]:
                found.setdefault(agency_id, {})[row["_id"]] = row["epoch"]
        return found


def _deadline() -> Deadline:
    """Of whoever runs the read; but others wait for it who may have come later."""
    serving, floor = context.current(), Deadline.after(LEAST_SECONDS)
    return floor if serving is None else max(serving.deadline, floor, key=lambda one: one.at)


class AuthorityStore:
    _of: ClassVar[WeakKeyDictionary[Client, AuthorityStore]] = WeakKeyDictionary()

    @classmethod
    def of(cls, database: Database[Document]) -> AuthorityStore:
        """The one of this process: whoever asks of it shares its barrier with all who ask at the time."""
        found = cls._of.get(database.client)
        if found is None:
            found = cls._of[database.client] = cls(database)
        return found

    def __init__(self, database: Database[Document]) -> None:
        self._client = database.client
        self._standing, self._fences = database["standing"], database["fences"]
        self._surely = linearizable(self._standing)
        self._barrier = Coalesced(self._read)
        self._beat = 0
        self._reckoned: tuple[tuple[int, date], StandingOn] | None = None

    def present(self) -> Present:
        """How everything stands, at a moment after this was called."""
        return self._barrier.get()

    def _read(self) -> Present:
        # All that belong to the set, also those that cannot be reached: then it matters most.
        members = self._client.topology_description.server_descriptions()
        least = self._beat
        rows = self._surely if len(members) > 1 else self._standing
        with within(_deadline()):
            row = rows.find_one({"_id": ID}) or EMPTY
            found = self._fences.find({}, {"epoch": True, "agencies": True}).limit(MOST_SHARED + 1)
            fences = list(found.batch_size(MOST_SHARED + 2))
        self._check(row, least)
        return Present(row, fences if len(fences) <= MOST_SHARED else None, self)

    def saw(self, beat: int) -> None:
        """This beat was counted, for good: what is read from now on with an earlier one is of a copy."""
        self._beat = max(self._beat, beat)

    def _check(self, row: Document, least: int) -> None:
        """Raises Unavailable where an older copy of this database was put back, and is not mended yet."""
        if row.get("restored") is not None or row.get("beat", 0) < least:
            raise Unavailable(cause="an older copy was put back")
        self.saw(row.get("beat", 0))

    def reckoned(self, row: Document, today: date) -> StandingOn:
        key = (row["version"], today)
        if self._reckoned is None or self._reckoned[0] != key:
            self._reckoned = key, standing_of(row).on(today)
        return self._reckoned[1]

    def fences_of(self, agency_id: str) -> Fences:
        with in_time():
            found = self._fences.find({"agencies": agency_id}, {"epoch": True}).limit(MOST_CARRIED + 1)
            rows = list(found.batch_size(MOST_CARRIED + 2))
        return "all" if len(rows) > MOST_CARRIED else {row["_id"]: row["epoch"] for row in rows}
