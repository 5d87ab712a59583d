"""Where the versions of the Security Operating Procedure are kept.

procedures  {_id: version, title, clauses: [{no, heading, text}], sha256, effective_from, sign_by,
             created_at, by}
"""

from __future__ import annotations

from pymongo import DESCENDING
from pymongo.database import Database

from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import NotVisible
from services.contracts.sharing.procedures import ClauseBody
from services.sharing.domain.procedures import Procedure
from services.sharing.stores.pages import page_newest_first


class ProcedureStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["procedures"]

    def add(self, procedure: Procedure, by: str, session: Session) -> None:
        row = {
            "_id": procedure.version,
            "title": procedure.title,
            "clauses": [clause.model_dump(mode="json") for clause in procedure.clauses],
            "sha256": procedure.sha256,
            "effective_from": procedure.effective_from,
            "sign_by": procedure.sign_by,
            "created_at": procedure.created_at,
            "by": by,
        }
        self._rows.insert_one(row, session=session)

    def load(self, version: int) -> Procedure:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": version})
        if row is None:
            raise NotVisible
        return _procedure(row)

    def latest_version(self, session: Session) -> int:
        """0 when there is none."""
        row = self._rows.find_one({}, {"_id": True}, sort=[("_id", DESCENDING)], session=session)
        return 0 if row is None else int(row["_id"])

    def page(self, limit: int, cursor: str | None) -> tuple[list[Procedure], str | None]:
        return page_newest_first(self._rows, {}, limit=limit, cursor=cursor, make=_procedure, read=_version)


def _version(found: object) -> int:
    """Of a cursor. Raises ValueError for what no version is."""
    if not isinstance(found, int) or not 0 <= found < 2**31:
        raise ValueError
    return found


def _procedure(row: Document) -> Procedure:
    return Procedure(
        version=row["_id"],
        title=row["title"],
        clauses=tuple(ClauseBody.model_validate(one) for one in row["clauses"]),
        sha256=row["sha256"],
        effective_from=row["effective_from"],
        sign_by=row["sign_by"],
        created_at=row["created_at"],
    )
