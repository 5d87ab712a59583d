"""Where agencies are kept.

agencies  {_id, name, key (unique), type, area, state, version, created_at, updated_at,
           places: [{marking, networks, device_classes, step_up}], places_version,
           history: [{at, by, from, to, reason}]}
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
from services.contracts.vocabulary import AgencyState
from services.sharing.domain.agencies import Agency
from services.sharing.domain.places import PlaceRule
from services.sharing.domain.words import key_of
from services.sharing.stores.kept import Kept
from services.sharing.stores.pages import page_by_name
from services.sharing.stores.places import rows_of, rules_of

HISTORY_KEPT = 200


class AgencyStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._kept = database["agencies"], Kept(database, "agency")

    def add(self, agency: Agency, session: Session | None = None) -> None:
        """Raises Invalid, `/name` taken."""
        row: Document = {
            "_id": agency.id,
            "name": agency.name,
            "key": key_of(agency.name),
            "type": agency.type,
            "area": agency.area,
            "state": agency.state,
            "version": agency.version,
            "created_at": agency.created_at,
            "updated_at": agency.updated_at,
            "places": [],
            "places_version": 0,
            "history": [],
        }
        with in_time():
            if self._rows.find_one({"key": row["key"]}, {"_id": True}, session=session):
                raise _taken()
            try:
                self._rows.insert_one(row, session=session)
            except DuplicateKeyError:
                raise _taken() from None

    def load(self, agency_id: str, session: Session | None = None) -> Agency:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": agency_id}, {"history": False}, session=session)
        if row is None:
            raise NotVisible
        return agency_of(row)

    def known(self, ids: Iterable[str], session: Session | None = None) -> dict[str, Agency]:
        """Those of the ids that there are."""
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": list(ids)}}, {"history": False}, session=session))
        return {row["_id"]: agency_of(row) for row in rows}

    def of_type(self, kind: str, session: Session | None = None) -> list[Agency]:
        """There are few agencies: no index serves this."""
        with in_time():
            rows = list(self._rows.find({"type": kind}, {"history": False}, session=session).limit(100))
        return [agency_of(row) for row in rows]

    def page(self, limit: int, cursor: str | None) -> tuple[list[Agency], str | None]:
        return page_by_name(self._rows, {}, "key", limit=limit, cursor=cursor, make=agency_of)

    def change(self, before: Agency, changes: Document, now: datetime, session: Session) -> Agency:
        """Set `name` or `area`. Raises Invalid, `/name` taken."""
        if "name" in changes:
            key = key_of(changes["name"])
            if self._rows.find_one({"key": key, "_id": {"$ne": before.id}}, {"_id": True}, session=session):
                raise _taken()
            return self._update(before, {**changes, "key": key}, now, session)
        return self._update(before, changes, now, session)

    def set_places(self, before: Agency, rules: tuple[PlaceRule, ...], session: Session) -> Agency:
        """`version` stays, for what most may see of the agency does."""
        change: Document = {"$set": {"places": rows_of(rules)}, "$inc": {"places_version": 1}}
        self._kept.update({"_id": before.id}, change, session)
        return replace(before, places=rules, places_version=before.places_version + 1)

    def move(
        self, before: Agency, to: AgencyState, *, by: str, reason: str, now: datetime, session: Session
    ) -> Agency:
        step = {"at": now, "by": by, "from": before.state, "to": to, "reason": reason}
        return self._update(before, {"state": to}, now, session, step)

    def _update(
        self, before: Agency, values: Document, now: datetime, session: Session, step: Document | None = None
    ) -> Agency:
        change: Document = {"$set": {**values, "updated_at": now}, "$inc": {"version": 1}}
        if step is not None:
            change["$push"] = {"history": {"$each": [step], "$slice": -HISTORY_KEPT}}
        self._kept.update({"_id": before.id}, change, session)
        shown = {key: value for key, value in values.items() if key != "key"}
        return replace(before, **shown, version=before.version + 1, updated_at=now)


def _taken() -> Invalid:
    return Invalid(errors=(FieldError("/name", "name_taken", "Another agency has this name."),))


def agency_of(row: Document) -> Agency:
    return Agency(
        id=row["_id"],
        name=row["name"],
        type=row["type"],
        area=row["area"],
        state=row["state"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        places=rules_of(row.get("places", ())),
        places_version=row.get("places_version", 0),
    )


def make_indexes(database: Database[Document]) -> None:
    database["agencies"].create_index([("key", ASCENDING), ("_id", ASCENDING)], name="by_name")
    database["agencies"].create_index([("key", ASCENDING)], name="one_of_a_name", unique=True)
