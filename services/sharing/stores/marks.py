"""How far this database has come, in the one document of `standing`: the barrier of `identify` reads it.

standing  {..., term, version, beat, beat_at,
           restored: {noticed_at, as_of, seen: {term, beat, standing}} | absent}

A beat is counted every few seconds, each by comparing and setting: none is counted by what was read before a
copy was put back. `restored`: somebody outside has seen more than this database has; nothing is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pymongo.database import Database

from services.chassis.mongo import Document, Session, in_time
from services.contracts.restores import AuthorityMark
from services.sharing.stores.standing import EMPTY, ID

AHEAD = 10
"""Beats that a mended database is ahead of all that was seen: more than any process had read and not told."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`as_of`: of when the copy is, to a few seconds; None: from before there were beats."""

    as_of: datetime | None
    seen: AuthorityMark


@dataclass(frozen=True, slots=True)
class Marked:
    mark: AuthorityMark
    restored: Restored | None


class MarkStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["standing"]

    def read(self, session: Session | None = None) -> Marked:
        with in_time():
            row = self._rows.find_one({"_id": ID}, session=session) or EMPTY
        mark = AuthorityMark(term=row.get("term", 1), beat=row.get("beat", 0), standing=row["version"])
        found = row.get("restored")
        if found is None:
            return Marked(mark, None)
        return Marked(mark, Restored(found["as_of"], AuthorityMark.model_validate(found["seen"])))

    def beat(self, mark: AuthorityMark, now: datetime) -> bool:
        """Count one more, if all is as it was when `mark` was read; whether it was."""
        wanted = {"_id": ID, "beat": mark.beat or None, "restored": None}
        with in_time():
            done = self._rows.update_one(wanted, {"$set": {"beat": mark.beat + 1, "beat_at": now}})
        return bool(done.matched_count)

    def flag(self, seen: AuthorityMark, now: datetime) -> bool:
        """Serve nothing from now on, if this database is still behind `seen`; whether it is."""
        # Another instance may have counted on meanwhile: then nothing is wrong.
        behind = [
            {"term": {"$not": {"$gte": seen.term}}},
            {"beat": {"$not": {"$gte": seen.beat}}} if seen.beat else {"_id": None},
            {"version": {"$not": {"$gte": seen.standing}}},
        ]
        return self._flag({"_id": ID, "restored": None, "$or": behind}, seen, now)

    def declare(self, now: datetime) -> bool:
        """The operator knows better than the marks do. False: it is said already."""
        return self._flag({"_id": ID, "restored": None}, self.read().mark, now)

    def renew(self, term: int, session: Session) -> None:
        """Lists are of this term from now on."""
        self._rows.update_one({"_id": ID}, {"$max": {"term": term}}, session=session)

    def mended(self, seen: AuthorityMark, now: datetime, session: Session) -> None:
        """Serve again, ahead of all that was seen."""
        mine = self.read(session).mark
        self._rows.update_one(
            {"_id": ID},
            {
                "$set": {
                    "beat": max(mine.beat, seen.beat) + AHEAD,
                    "beat_at": now,
                    "version": max(mine.standing, seen.standing) + 1,
                },
                "$unset": {"restored": True},
            },
            session=session,
        )

    def _flag(self, wanted: Document, seen: AuthorityMark, now: datetime) -> bool:
        told = {
            "noticed_at": now,
            "as_of": {"$ifNull": ["$beat_at", None]},
            "seen": seen.model_dump(),
        }
        with in_time():
            return bool(self._rows.update_one(wanted, [{"$set": {"restored": told}}]).matched_count)
