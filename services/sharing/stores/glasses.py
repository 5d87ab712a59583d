"""Where broken glass is kept for its review, and how often each person has broken any.

glasses         {_id: id of the grant, case_id, user, agency, access_reason, reason, broken_at, until,
                 review_by, due: true until it is reviewed or has escalated, escalated_at,
                 decisions: [{decision, reason, by, at}]}
glass_breakers  {_id: user id, broken: [when], at}, forgotten after two days
"""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import NotVisible
from services.contracts.sharing.glass import GlassDecided
from services.sharing.domain.glass import DAY, Glass
from services.sharing.stores.pages import page_newest_first

FORGOTTEN_SECONDS = 2 * 86_400


class GlassStore:
    """Broken glass in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._breakers = database["glasses"], database["glass_breakers"]

    def broken_by(self, user_id: str, session: Session) -> list[datetime]:
        """When this person broke glass lately."""
        row = self._breakers.find_one({"_id": user_id}, session=session)
        return [] if row is None else list(row["broken"])

    def add(self, glass: Glass, session: Session) -> None:
        """Keep it, and count it. Two at once by one person clash, so that each is counted before the next."""
        self._rows.insert_one({**_row(glass), "due": True}, session=session)
        former = [at for at in self.broken_by(glass.user.id, session) if at > glass.broken_at - DAY]
        self._breakers.update_one(
            {"_id": glass.user.id},
            {"$set": {"broken": [*former, glass.broken_at], "at": glass.broken_at}},
            upsert=True,
            session=session,
        )

    def of_case(self, case_id: str, limit: int, cursor: str | None) -> tuple[list[Glass], str | None]:
        """The newest first."""
        return page_newest_first(self._rows, {"case_id": case_id}, limit=limit, cursor=cursor, make=_glass)

    def load(self, case_id: str, glass_id: str, session: Session | None = None) -> Glass:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": glass_id, "case_id": case_id}, session=session)
        if row is None:
            raise NotVisible
        return _glass(row)

    def decide(self, glass_id: str, decided: GlassDecided, session: Session) -> None:
        self._rows.update_one(
            {"_id": glass_id},
            {"$push": {"decisions": decided.model_dump()}, "$unset": {"due": True}},
            session=session,
        )

    def overdue(self, now: datetime, limit: int) -> list[Glass]:
        """Those that nobody has reviewed in time, and that nobody was told of yet, the oldest first."""
        with in_time():
            rows = list(
                self._rows.find({"due": True, "review_by": {"$lte": now}})
                .sort("review_by", ASCENDING)
                .limit(limit)
            )
        return [_glass(row) for row in rows]

    def escalate(self, glass_id: str, now: datetime, session: Session) -> bool:
        """False if it was reviewed or has escalated meanwhile."""
        done = self._rows.update_one(
            {"_id": glass_id, "due": True},
            {"$set": {"escalated_at": now}, "$unset": {"due": True}},
            session=session,
        )
        return bool(done.matched_count)


def _glass(row: Document) -> Glass:
    return Glass.model_validate({**row, "id": row["_id"]})


def _row(glass: Glass) -> Document:
    row = glass.model_dump()
    return {"_id": row.pop("id"), **row}


def make_indexes(database: Database[Document]) -> None:
    rows = database["glasses"]
    rows.create_index([("case_id", ASCENDING), ("_id", DESCENDING)], name="by_case")
    rows.create_index([("review_by", ASCENDING)], name="due", partialFilterExpression={"due": True})
    database["glass_breakers"].create_index(
        [("at", ASCENDING)], name="at", expireAfterSeconds=FORGOTTEN_SECONDS
    )


STEPS = (Step("glasses_indexes", make_indexes),)
