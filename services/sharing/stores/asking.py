"""Requests for access to a case.

access_requests  {_id, case_id, user, agency, reason, at, state, answer, answered_by, answered_at}
"""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import NotVisible
from services.contracts.sharing.asking import AccessRequestView
from services.sharing.stores.pages import page_newest_first


class AccessRequestStore:
    """Requests in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["access_requests"]

    def open_of(self, case_id: str, user_id: str, session: Session) -> bool:
        """Whether this user has one that is not answered."""
        wanted = {"case_id": case_id, "user.id": user_id, "state": "open"}
        return self._rows.find_one(wanted, {"_id": True}, session=session) is not None

    def add(self, asked: AccessRequestView, session: Session) -> None:
        row = asked.model_dump(exclude={"etag", "disclosed"})
        self._rows.insert_one({"_id": row.pop("id"), **row}, session=session)

    def answer(self, asked: AccessRequestView, session: Session) -> None:
        fields = ("state", "answer", "answered_by", "answered_at")
        row = {name: value for name, value in asked.model_dump().items() if name in fields}
        self._rows.update_one({"_id": asked.id}, {"$set": row}, session=session)

    def load(self, case_id: str, request_id: str, session: Session | None = None) -> AccessRequestView:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": request_id, "case_id": case_id}, session=session)
        if row is None:
            raise NotVisible
        return _view(row)

    def page(
        self, case_id: str, user_id: str | None, limit: int, cursor: str | None
    ) -> tuple[list[AccessRequestView], str | None]:
        """Of one case, or of one user in it, the newest first."""
        wanted: Document = {"case_id": case_id} | ({} if user_id is None else {"user.id": user_id})
        return page_newest_first(self._rows, wanted, limit=limit, cursor=cursor, make=_view)


def _view(row: Document) -> AccessRequestView:
    return AccessRequestView.model_validate({**row, "id": row["_id"]})


def make_indexes(database: Database[Document]) -> None:
    rows = database["access_requests"]
    rows.create_index([("case_id", ASCENDING), ("_id", DESCENDING)], name="by_case")
    rows.create_index(
        [("case_id", ASCENDING), ("user.id", ASCENDING)],
        name="one_open_of_a_user",
        unique=True,
        partialFilterExpression={"state": "open"},
    )
    rows.create_index([("case_id", ASCENDING), ("user.id", ASCENDING), ("_id", DESCENDING)], name="by_user")


STEPS = (Step("access_requests_indexes", make_indexes),)
