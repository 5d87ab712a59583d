"""Where transfers are read: offers that were decided, offers that stand, cases whose owner cannot act.

transfers  {_id: the offer's id, case_id, offer: Offer, state, by, reason, at}

An offer that stands is in its ownership (`ownerships.py`, which also keeps the decided ones, in the
transaction of the change).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.sharing.domain.offers import Transfer
from services.sharing.domain.ownership import Ownership
from services.sharing.stores.ownerships import ownership_of

_OFFERED: Document = {"transfer.lapses_at": {"$gt": datetime.min}}
_OWNERLESS: Document = {"ownerless_since": {"$gt": datetime.min}}


class TransferStore:
    """Transfers in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._decided = database["ownerships"], database["transfers"]

    def find(self, transfer_id: str, session: Session | None = None) -> Transfer | None:
        """One that was decided."""
        with in_time():
            row = self._decided.find_one({"_id": transfer_id}, session=session)
        return None if row is None else Transfer.model_validate(row)

    def of_case(self, case_id: str, after: str | None, limit: int) -> list[Transfer]:
        """Those that were decided, the newest first, older than the offer `after`."""
        wanted: Document = {"case_id": case_id}
        if after is not None:
            wanted["_id"] = {"$lt": after}
        with in_time():
            rows = list(self._decided.find(wanted).sort("_id", DESCENDING).limit(limit).hint("by_case"))
        return [Transfer.model_validate(row) for row in rows]

    # --- what the timers look through, a part at a time ---

    def owners(self, after: str, limit: int) -> list[str]:
        """Ids of those who own a case, each once, in their order."""
        with in_time():
            found = self._rows.aggregate(
                [
                    {"$match": {"owner.user.id": {"$gt": after}}},
                    {"$sort": {"owner.user.id": 1}},
                    {"$group": {"_id": "$owner.user.id"}},
                    {"$sort": {"_id": 1}},
                    {"$limit": limit},
                ],
                hint="by_owner",
            )
            return [str(row["_id"]) for row in found]

    def owned_by(self, user_id: str, limit: int) -> list[str]:
        """Cases of one owner that are not known to be without an active owner."""
        wanted = {"owner.user.id": user_id, "ownerless_since": None}
        with in_time():
            rows = list(self._rows.find(wanted, {"_id": True}).hint("by_owner").limit(limit))
        return [row["_id"] for row in rows]

    def offered(self, after: str, limit: int) -> list[Ownership]:
        """Cases that are offered to somebody, by id."""
        return self._part({**_OFFERED, "_id": {"$gt": after}}, "offered", limit)

    def ownerless(self, after: str, limit: int) -> list[Ownership]:
        """Cases whose owner cannot act, by id."""
        return self._part({**_OWNERLESS, "_id": {"$gt": after}}, "ownerless", limit)

    def _part(self, wanted: Document, index: str, limit: int) -> list[Ownership]:
        with in_time():
            rows = list(self._rows.find(wanted).sort("_id", ASCENDING).hint(index).limit(limit))
        return [ownership_of(row) for row in rows]

    # --- the list of an agency's administrators ---

    def ownerless_of(
        self, agency_id: str, but_to: str, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Ownership]:
        """Of one agency, the longest first, behind `after`; without those from which `but_to` is excluded."""
        wanted = _ownerless_of(agency_id, but_to)
        if after is not None:
            since, case_id = after
            wanted["$or"] = [
                {"ownerless_since": {"$gt": since}},
                {"ownerless_since": since, "_id": {"$gt": case_id}},
            ]
        order = [("ownerless_since", ASCENDING), ("_id", ASCENDING)]
        with in_time():
            rows = list(self._rows.find(wanted).sort(order).hint("ownerless_of").limit(limit))
        return [ownership_of(row) for row in rows]

    def count_ownerless(self, agency_id: str, but_to: str, most: int) -> int:
        with in_time():
            wanted = _ownerless_of(agency_id, but_to)
            return self._rows.count_documents(wanted, limit=most, hint="ownerless_of")


def _ownerless_of(agency_id: str, but_to: str) -> Document:
    return {"owner.agency.id": agency_id, **_OWNERLESS, "conflicts.user.id": {"$ne": but_to}}


def make_indexes(database: Database[Document]) -> None:
    database["transfers"].create_index([("case_id", ASCENDING), ("_id", DESCENDING)], name="by_case")
    rows = database["ownerships"]
    rows.create_index([("owner.user.id", ASCENDING), ("ownerless_since", ASCENDING)], name="by_owner")
    rows.create_index([("_id", ASCENDING), ("transfer.lapses_at", ASCENDING)], name="offered",
                      partialFilterExpression=_OFFERED)  # fmt: skip
    rows.create_index([("_id", ASCENDING), ("ownerless_since", ASCENDING)], name="ownerless",
                      partialFilterExpression=_OWNERLESS)  # fmt: skip
    rows.create_index(
        [("owner.agency.id", ASCENDING), ("ownerless_since", ASCENDING), ("_id", ASCENDING)],
        name="ownerless_of",
        partialFilterExpression=_OWNERLESS,
    )


STEPS = (Step("transfers_indexes", make_indexes),)
