"""What is to be confirmed, and by when: `certify_by` of users and of the shares in ownerships."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.paging import Ref
from services.sharing.domain.certifying import Place, ShareDue, UserDue
from services.sharing.domain.ownership import Grant
from services.sharing.domain.people import roles_on
from services.sharing.stores.people import appointments_of

FIRST_DAYS = 90
"""For what was there before it had to be confirmed, from when it was made."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Cases:
    """Whose, and the index to find their shares by."""

    wanted: Document
    index: str


class CertificationStore:
    """`before`: only what was due by then."""

    def __init__(self, database: Database[Document]) -> None:
        self._users, self._ownerships = database["users"], database["ownerships"]

    def put_user(self, user_id: str, until: datetime, session: Session) -> None:
        """No version is kept of it: no access hangs on it."""
        self._users.update_one({"_id": user_id}, {"$set": {"certify_by": until}}, session=session)

    def users(
        self, agency_id: str, after: Place | None, before: datetime | None, today: date, limit: int
    ) -> list[UserDue]:
        """Of one agency, without the disabled, the soonest first."""
        wanted: Document = {"agency_id": agency_id, "state": {"$ne": "disabled"}, **_behind(after, before)}
        with in_time():
            rows = list(
                self._users.find(wanted, _USER)
                .sort([("certify_by", ASCENDING), ("_id", ASCENDING)])
                .limit(limit)
                .hint("to_certify")
            )
        return [
            UserDue(
                user=Ref(id=row["_id"], name=row["name"]),
                job_title=row["job_title"],
                roles=roles_on(appointments_of(row["roles"]), today),
                state=row["state"],
                last_log_in_at=row.get("last_log_in_at"),
                certify_by=row["certify_by"],
            )
            for row in rows
        ]

    def shares(
        self,
        cases: Cases,
        after: Place | None,
        before: datetime | None,
        now: datetime,
        *,
        limit: int,
        reader: str,
    ) -> list[ShareDue]:
        """Those in force, the soonest first; none of a case that `reader` must not know of."""
        due: Document = {"$gt": datetime.min} if before is None else {"$gt": datetime.min, "$lte": before}
        if after is not None:
            due["$gte"] = after[0]
        lasting = {"kind": "share", "certify_by": due, "expires_at": {"$gt": now}}
        behind: list[Document] = []
        if after is not None:
            at, share_id = after
            key = [{"grants.certify_by": {"$gt": at}}, {"grants.id": {"$gt": share_id}}]
            behind = [{"$match": {"$or": key}}]
        with in_time():
            rows = self._ownerships.aggregate(
                [
                    {
                        "$match": {
                            **cases.wanted,
                            "conflicts.user.id": {"$ne": reader},
                            "grants": {"$elemMatch": lasting},
                        }
                    },
                    {"$project": {"owner": True, "grants": True}},
                    {"$unwind": "$grants"},
                    {"$match": {f"grants.{name}": value for name, value in lasting.items()}},
                    *behind,
                    {"$sort": {"grants.certify_by": 1, "grants.id": 1}},
                    {"$limit": limit},
                ],
                hint=cases.index,
            )
            return [
                ShareDue(
                    case_id=row["_id"],
                    owner=Ref.model_validate(row["owner"]["user"]),
                    grant=Grant.model_validate(row["grants"]),
                    certify_by=row["grants"]["certify_by"],
                )
                for row in rows
            ]


_USER = dict.fromkeys(("name", "job_title", "roles", "state", "last_log_in_at", "certify_by"), True)


def of_owner(user_id: str, agency_id: str) -> Cases:
    return Cases({"owner.user.id": user_id, "owner.agency.id": agency_id}, "certify_of_owner")


def of_agency(agency_id: str) -> Cases:
    return Cases({"owner.agency.id": agency_id}, "certify_of_agency")


def _behind(after: Place | None, before: datetime | None) -> Document:
    by: Document = {"$gt": datetime.min} if before is None else {"$gt": datetime.min, "$lte": before}
    due: Document = {"certify_by": by}
    if after is not None:
        at, who = after
        due["$or"] = [{"certify_by": {"$gt": at}}, {"certify_by": at, "_id": {"$gt": who}}]
    return due


def make(database: Database[Document]) -> None:
    users, rows = database["users"], database["ownerships"]
    for collection, names in (
        (users, {"to_certify": ("agency_id", "certify_by", "_id"), "by_certify": ("certify_by",)}),
        (
            rows,
            {
                "certify_of_owner": ("owner.user.id", "grants.certify_by"),
                "certify_of_agency": ("owner.agency.id", "grants.certify_by"),
                "by_certify": ("grants.certify_by",),
            },
        ),
    ):
        for name, fields in names.items():
            collection.create_index([(field, ASCENDING) for field in fields], name=name)
    users.update_many(
        {"certify_by": None}, [{"$set": {"certify_by": _later("$created_at")}}], hint="by_certify"
    )
    share = {"$eq": ["$$one.kind", "share"]}
    due = {"$mergeObjects": ["$$one", {"certify_by": _later("$$one.granted_at")}]}
    each = {"$map": {"input": "$grants", "as": "one", "in": {"$cond": [share, due, "$$one"]}}}
    missing = {"grants": {"$elemMatch": {"kind": "share", "certify_by": None}}}
    while found := [row["_id"] for row in rows.find(missing, {"_id": True}).limit(_BATCH)]:
        rows.update_many({"_id": {"$in": found}}, [{"$set": {"grants": each}}])


def _later(field: str) -> Document:
    return {"$dateAdd": {"startDate": field, "unit": "day", "amount": FIRST_DAYS}}


STEPS = (Step("certifying", make),)
