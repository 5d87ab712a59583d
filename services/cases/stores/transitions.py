"""Where it is kept why a case got its status.

transitions  {_id, case_id, from, to, reason, by {id, name}, at}: only ever added to
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session
from services.contracts.caller import Caller
from services.contracts.vocabulary import CaseStatus


@dataclass(frozen=True, slots=True)
class Transition:
    """One step from one status to another."""

    id: str
    case_id: str
    before: CaseStatus
    to: CaseStatus
    reason: str
    at: datetime


class TransitionStore:
    """Transitions in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["transitions"]

    def insert(self, step: Transition, by: Caller, session: Session) -> None:
        row: Document = {
            "_id": step.id,
            "case_id": step.case_id,
            "from": step.before,
            "to": step.to,
            "reason": step.reason,
            "by": {"id": by.id, "name": by.name or by.id},
            "at": step.at,
        }
        self._rows.insert_one(row, session=session)


def _make_indexes(database: Database[Document]) -> None:
    database["transitions"].create_index([("case_id", ASCENDING), ("at", ASCENDING)], name="case")


STEPS = (Step("transitions_indexes", _make_indexes),)
