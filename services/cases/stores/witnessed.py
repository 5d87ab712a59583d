"""What `sharing` can be mended by when an older copy of its database was put back: how far it had come when
it was last heard, and the list that every case is judged by.

witnessed  {_id: "sharing", term, beat, standing}: the highest of each
"""

from __future__ import annotations

from pydantic import ValidationError
from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database

from services.chassis.mongo import Document, in_time
from services.contracts.access import AccessList, Owner
from services.contracts.restores import AuthorityMark, HeldList, UnreadableList

_ID = "sharing"


class WitnessStore:
    """The one mark, and the lists of all cases, in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._cases = database["witnessed"], database["cases"]

    def witness(self, mark: AuthorityMark) -> AuthorityMark:
        """Keep what is higher in it; what is the highest then. Harmless when done twice."""
        with in_time():
            row = self._rows.find_one_and_update(
                {"_id": _ID},
                {"$max": mark.model_dump()},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return AuthorityMark.model_validate(row)

    def lists(self, after: str | None, limit: int) -> tuple[tuple[HeldList, ...], tuple[UnreadableList, ...]]:
        """Those of the cases after the case `after`, by id, and what is left of those that are damaged."""
        wanted: Document = {} if after is None else {"_id": {"$gt": after}}
        with in_time():
            rows = self._cases.find(wanted, {"acl": True, "created_at": True})
            found = list(rows.sort("_id", ASCENDING).limit(limit).batch_size(limit + 1))
        read = [_held(row) for row in found]
        return (
            tuple(one for one in read if isinstance(one, HeldList)),
            tuple(one for one in read if isinstance(one, UnreadableList)),
        )


def _held(row: Document) -> HeldList | UnreadableList:
    acl = row.get("acl")
    try:
        return HeldList(list=AccessList.model_validate(acl), opened_at=row["created_at"])
    except ValidationError:
        return UnreadableList(case_id=row["_id"], owner=_owner(acl), opened_at=row["created_at"])


def _owner(acl: object) -> Owner | None:
    try:
        return Owner.model_validate(acl["owner"]) if isinstance(acl, dict) and "owner" in acl else None
    except ValidationError:
        return None
