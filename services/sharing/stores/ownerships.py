"""Where ownerships are kept: the authority on who may see a case.

ownerships   {_id: case id, term, epoch, events, owner: {user, agency, team}, grants: [Grant],
              transfer: Offer | null, ownerless_since: when | null, registered_at, confirmed,
              readers [index keys of everyone named]}
past_shares  {_id: share id, case_id, grant, ending: {at, by, agency, reason} | null, ended_at}

A change replaces the document whole, filtered on the epoch that it was decided on. Shares that were revoked
or ran out long ago go to `past_shares`, so that an ownership stays small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import bson
from pymongo import ASCENDING, DESCENDING, ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import Busy
from services.sharing.domain.ownership import Change, Grant, Ownership, PastGrant, decoy
from services.sharing.stores.kept import STEPS as HISTORY_STEPS
from services.sharing.stores.kept import Kept

_UNSEEN = {"readers": False}
_AT_ONCE = 500


class AlreadyOwned(Exception):
    """The case is registered already."""


class OwnershipStore:
    """Ownerships in MongoDB."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._past = database["ownerships"], database["past_shares"]
        self._kept = Kept(database, "ownership")
        self._transfers = database["transfers"]
        self._decoy = bson.encode(_row(decoy()))

    def find(self, case_id: str, session: Session | None = None) -> Ownership | None:
        """Whoever asks: for those who may know of every case. Its size shows in the time."""
        with in_time():
            row = self._rows.find_one({"_id": case_id}, _UNSEEN, session=session)
        return None if row is None else ownership_of(row)

    def find_for(self, keys: Collection[str], case_id: str, session: Session | None = None) -> Ownership:
        """The ownership, if it names one of `keys`; else a decoy, of the owning agency or nobody's.

        A hidden one stays in the database: it takes as long as one that is not there (V7).
        """
        # Both are answered by an index alone where the case is hidden: its size does not show. None finds
        # what an instance from before there were `readers` wrote since: the access rule judges it as ever.
        named = {"_id": case_id, "readers": {"$in": [*keys, None]}}
        with in_time():
            row = self._rows.find_one(named, _UNSEEN, hint="readers", session=session)
            if row is not None:
                return ownership_of(row)
            agency = {"_id": False, "owner.agency.id": True}
            whose = self._rows.find_one({"_id": case_id}, agency, hint="whose", session=session)
        return self.decoy(whose["owner"]["agency"]["id"] if whose is not None else None)

    def decoy(self, agency_id: str | None = None) -> Ownership:
        """What stands in for a case of this agency that is hidden, or for one that there is not."""
        hidden = bson.decode(self._decoy, codec_options=self._rows.codec_options)
        if agency_id is not None:
            hidden["owner"]["agency"]["id"] = agency_id
        return ownership_of(hidden)

    def known(self, case_ids: Iterable[str]) -> dict[str, Ownership]:
        """Those of the cases that there are."""
        wanted = list(case_ids)
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": wanted}}, _UNSEEN).batch_size(len(wanted) + 1))
        return {row["_id"]: ownership_of(row) for row in rows}

    def shut_out(self, user_ids: Collection[str], case_ids: Collection[str]) -> list[str] | None:
        """Those of the cases that one of these users is under a conflict with; None: there is no case at all
        that one of them is. Both are read in an index that has nothing but conflicts."""
        under = {"conflicts.user.id": {"$in": list(user_ids)}}
        with in_time():
            if self._rows.find_one(under, {"_id": True}, hint="conflicts") is None:
                return None
            rows = self._rows.find({**under, "_id": {"$in": list(case_ids)}}, {"_id": True}, hint="conflicts")
            return [row["_id"] for row in rows.batch_size(len(case_ids) + 1)]

    def add(self, ownership: Ownership, session: Session) -> None:
        """Raises AlreadyOwned."""
        try:
            self._rows.insert_one(_row(ownership), session=session)
        except DuplicateKeyError:
            raise AlreadyOwned from None

    def save(self, change: Change, session: Session) -> None:
        """Put a change in the place of what it was decided on, which was read in the same transaction."""
        after = change.after
        wanted = {"_id": after.case_id, "term": after.term, "epoch": change.before}
        if not self._kept.replace(wanted, _row(after), session):
            raise Busy(cause="ownership moved")
        if change.past:
            self._past.insert_many([_past_row(one) for one in change.past], session=session)
        if change.decided is not None:
            row = change.decided.model_dump()
            self._transfers.insert_one({"_id": change.decided.offer.id, **row}, session=session)

    def put_back(self, after: Ownership, past: Iterable[PastGrant], session: Session) -> None:
        """Put an ownership in the place of what an older copy says, read in the same transaction, or of
        nothing."""
        row = _row(after)
        if not self._kept.replace({"_id": after.case_id}, row, session):
            self._rows.insert_one(row, session=session)
        if rows := [_past_row(one) for one in past]:
            self._past.insert_many(rows, session=session)

    def of_another_term(self, term: int, after: str | None, limit: int) -> list[Ownership]:
        """By case id, those after the case `after`: for a walk over all there are."""
        wanted: Document = {"_id": {"$gt": after or ""}, "term": {"$ne": term}}
        with in_time():
            rows = list(self._rows.find(wanted, _UNSEEN).sort("_id", ASCENDING).limit(limit))
        return [ownership_of(row) for row in rows]

    def past(self, share_id: str) -> PastGrant | None:
        with in_time():
            row = self._past.find_one({"_id": share_id})
        return None if row is None else PastGrant.model_validate(row)

    def on_perpetrators_side(self, case_id: str, agency_id: str, session: Session) -> list[Grant]:
        """Shares of a case that are no more and put some of an agency on that side: few, if any."""
        wanted = {"case_id": case_id, "grant.agency.id": agency_id, "grant.side": "perpetrator"}
        rows = self._past.find(wanted, session=session).hint("by_case").limit(_AT_ONCE)
        return [PastGrant.model_validate(row).grant for row in rows]

    def ended(self, share_ids: Iterable[str]) -> dict[str, datetime]:
        """When those of these shares that are no more have ended."""
        wanted = {"_id": {"$in": list(share_ids)}}
        with in_time():
            return {row["_id"]: row["ended_at"] for row in self._past.find(wanted, {"ended_at": True})}

    def count_event(self, case_id: str, session: Session) -> int | None:
        """The number of one more event about a case whose list stays as it is; None: there is no case."""
        row = self._rows.find_one_and_update(
            {"_id": case_id},
            {"$inc": {"events": 1}},
            {"events": True},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return None if row is None else int(row["events"])

    def past_of(self, case_id: str, after: str | None, limit: int) -> list[PastGrant]:
        """Shares of a case that are no more, the newest first, those older than the share `after`."""
        wanted: Document = {"case_id": case_id}
        if after is not None:
            wanted["_id"] = {"$lt": after}
        with in_time():
            rows = list(self._past.find(wanted).sort("_id", DESCENDING).limit(limit).hint("by_case"))
        return [PastGrant.model_validate(row) for row in rows]

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        """Cases registered before then which `cases` has not been seen to know, the oldest first."""
        wanted = {"confirmed": False, "registered_at": {"$lt": before}}
        with in_time():
            rows = list(self._rows.find(wanted, {"_id": True}).sort("registered_at", ASCENDING).limit(limit))
        return [row["_id"] for row in rows]

    def confirm(self, case_ids: Iterable[str]) -> None:
        with in_time():
            self._rows.update_many({"_id": {"$in": list(case_ids)}}, {"$set": {"confirmed": True}})

    def discard(self, case_ids: Iterable[str], before: datetime) -> int:
        """Forget registrations that came to nothing; how many."""
        wanted = {"_id": {"$in": list(case_ids)}, "confirmed": False, "registered_at": {"$lt": before}}
        with in_time():
            return self._rows.delete_many(wanted).deleted_count


def ownership_of(row: Document) -> Ownership:
    return Ownership.model_validate({**row, "case_id": row["_id"]})


def _row(ownership: Ownership) -> Document:
    row = ownership.model_dump()
    return {"_id": row.pop("case_id"), **row, "readers": list(ownership.acl.readers())}


def _past_row(past: PastGrant) -> Document:
    return {"_id": past.grant.id, **past.model_dump()}


def make_indexes(database: Database[Document]) -> None:
    database["ownerships"].create_index(
        [("registered_at", ASCENDING)], name="unconfirmed", partialFilterExpression={"confirmed": False}
    )
    database["past_shares"].create_index([("case_id", ASCENDING), ("_id", DESCENDING)], name="by_case")


def make_readers(database: Database[Document]) -> None:
    """Whom each names, for what was written before that was kept."""
    rows = database["ownerships"]
    rows.create_index([("readers", ASCENDING), ("_id", ASCENDING)], name="readers")
    rows.create_index([("_id", ASCENDING), ("owner.agency.id", ASCENDING)], name="whose")
    while found := list(rows.find({"readers": None}).hint("readers").limit(_AT_ONCE)):
        rows.bulk_write(
            [
                # What is changed meanwhile is found again.
                UpdateOne(
                    {"_id": row["_id"], "epoch": row["epoch"]},
                    {"$set": {"readers": list(ownership_of(row).acl.readers())}},
                )
                for row in found
            ],
            ordered=False,
        )


def make_conflicts(database: Database[Document]) -> None:
    """Whom conflicts are about: an index of the few cases that have any."""
    database["ownerships"].create_index(
        [("conflicts.user.id", ASCENDING), ("_id", ASCENDING)],
        name="conflicts",
        partialFilterExpression={"conflicts.user.id": {"$exists": True}},
    )


STEPS = (
    Step("ownerships_indexes", make_indexes),
    Step("ownerships_readers", make_readers),
    *HISTORY_STEPS,
    Step("ownerships_conflicts", make_conflicts),
)
