"""Where teams are kept. Who belongs to one stands in the users.

teams  {_id, agency_id, name, key, words, version, created_at, updated_at}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import FieldError, Invalid, NotVisible
from services.sharing.domain.teams import Team
from services.sharing.domain.words import key_of, words_of
from services.sharing.stores.kept import Kept
from services.sharing.stores.pages import page_by_name


class TeamStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._kept = database["teams"], Kept(database, "team")

    def add(self, team: Team, session: Session) -> None:
        """Raises Invalid, `/name` taken in this agency."""
        self._check_name(team.id, team.agency_id, team.name, session)
        row = {
            "_id": team.id,
            "agency_id": team.agency_id,
            **_named(team.name),
            "version": team.version,
            "created_at": team.created_at,
            "updated_at": team.updated_at,
        }
        try:
            self._rows.insert_one(row, session=session)
        except DuplicateKeyError:
            raise _taken() from None

    def load(self, team_id: str, session: Session | None = None) -> Team:
        """Raises NotVisible."""
        found = self.known([team_id], session)
        if not found:
            raise NotVisible
        return found[team_id]

    def known(self, ids: Iterable[str], session: Session | None = None) -> dict[str, Team]:
        """Those of the ids that there are."""
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": list(ids)}}, session=session))
        return {row["_id"]: team_of(row) for row in rows}

    def page(self, agency_id: str, limit: int, cursor: str | None) -> tuple[list[Team], str | None]:
        return page_by_name(
            self._rows, {"agency_id": agency_id}, "key", limit=limit, cursor=cursor, make=team_of
        )

    def change(self, before: Team, name: str | None, now: datetime, session: Session) -> Team:
        """Take the next version, with another name if one is given. Raises Invalid, `/name` taken."""
        values: Document = {"updated_at": now}
        if name is not None:
            self._check_name(before.id, before.agency_id, name, session)
            values |= _named(name)
        self._kept.update({"_id": before.id}, {"$set": values, "$inc": {"version": 1}}, session)
        return replace(before, name=name or before.name, version=before.version + 1, updated_at=now)

    def _check_name(self, team_id: str, agency_id: str, name: str, session: Session) -> None:
        wanted = {"agency_id": agency_id, "key": key_of(name), "_id": {"$ne": team_id}}
        if self._rows.find_one(wanted, {"_id": True}, session=session):
            raise _taken()


def _named(name: str) -> Document:
    return {"name": name, "key": key_of(name), "words": words_of(name)}


def _taken() -> Invalid:
    return Invalid(errors=(FieldError("/name", "name_taken", "Another team of the agency has this name."),))


def team_of(row: Document) -> Team:
    return Team(
        id=row["_id"],
        agency_id=row["agency_id"],
        name=row["name"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def make_indexes(database: Database[Document]) -> None:
    rows = database["teams"]
    rows.create_index([("agency_id", ASCENDING), ("key", ASCENDING)], name="one_of_a_name", unique=True)
    rows.create_index([("words", ASCENDING)], name="by_word")
