"""Whether an agency has, or had, to do with a case: it owns or owned it, was given it or offered it.

Every question is answered by an index alone where the answer is no. So a case that never concerned the agency
takes as long as one that there is not (V7), however large it is.
"""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, in_time


class ConcernStore:
    """Reads ownerships, past shares, decided offers and the history; writes nothing."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._past = database["ownerships"], database["past_shares"]
        self._decided, self._history = database["transfers"], database["history"]

    def concerned(self, agency_id: str, case_id: str, at: datetime) -> bool:
        """Whether the case is the agency's own now, or had to do with it at `at` or before."""
        until: Document = {"$lte": at}
        grant = {"agency.id": agency_id, "granted_at": until}
        of_case = {"case_id": case_id}
        asked: tuple[tuple[Collection[Document], str, Document], ...] = (
            (self._rows, "whose", {"_id": case_id, "owner.agency.id": agency_id}),
            (self._rows, "granted_to", {"_id": case_id, "grants": {"$elemMatch": grant}}),
            (
                self._rows,
                "offered_to",
                {"_id": case_id, "transfer.agency.id": agency_id, "transfer.at": until},
            ),
            (
                self._past,
                "was_granted_to",
                {**of_case, "grant.agency.id": agency_id, "grant.granted_at": until},
            ),
            (
                self._decided,
                "was_offered_to",
                {**of_case, "offer.agency.id": agency_id, "offer.at": until},
            ),
            (
                self._history,
                "was_owned_by",
                {"kind": "ownership", "id": case_id, "document.owner.agency.id": agency_id, "since": until},
            ),
        )
        with in_time():
            return any(rows.find_one(wanted, {"_id": True}, hint=hint) for rows, hint, wanted in asked)


def make_indexes(database: Database[Document]) -> None:
    for collection, name, fields in (
        ("ownerships", "granted_to", ("_id", "grants.agency.id", "grants.granted_at")),
        ("ownerships", "offered_to", ("_id", "transfer.agency.id", "transfer.at")),
        ("past_shares", "was_granted_to", ("case_id", "grant.agency.id", "grant.granted_at")),
        ("transfers", "was_offered_to", ("case_id", "offer.agency.id", "offer.at")),
    ):
        database[collection].create_index([(field, ASCENDING) for field in fields], name=name)
    database["history"].create_index(
        [("id", ASCENDING), ("document.owner.agency.id", ASCENDING), ("since", ASCENDING)],
        name="was_owned_by",
        partialFilterExpression={"kind": "ownership"},
    )


STEPS = (Step("concerns_indexes", make_indexes),)
