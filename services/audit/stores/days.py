"""What is worked out of the log: people's days, who has worked on which case, what is to be looked at.

followers  {_id: "days", next}: the index of the first entry that is not counted yet
days       {_id: "day/person", day, actor_id, agency_id, person, team_ids, opened, contributed, last_log_in,
            uses: {use: {opened, contributed}}, cases: [id], strange: [id]}
relations  {_id: "case/person"}
reviews    {_id: "kind.day.person", kind, day, actor_id, agency_id, count, entry_ids, state,
            decisions: [{decision, reason, by, at}]}
usage      sums of days (`stores/usage.py`)

All of it can be made anew: drop all but `reviews`' decisions, and set `next` to 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.database import Database

from services.audit.domain.days import Day, Finding, Key, Pair
from services.audit.domain.usage import Sum, Together, cover, together
from services.audit.stores import usage
from services.audit.stores.usage import UsageStore, replaced
from services.chassis.deadline import Deadline
from services.chassis.migrations import Step
from services.chassis.mongo import LONGEST, Document, Session, in_time, transact
from services.contracts.reviews import ReviewKind, ReviewState

ENTRIES_NAMED = 20
_FOLLOWER = "days"


class Overtaken(Exception):
    """Another instance has counted these entries."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews. `agency_id` None: all agencies'."""

    agency_id: str | None
    state: ReviewState | None = None
    kind: ReviewKind | None = None
    actor_id: str | None = None


class DayStore:
    def __init__(self, database: Database[Document]) -> None:
        self._client = database.client
        self._followers, self._days = database["followers"], database["days"]
        self._relations, self._reviews = database["relations"], database["reviews"]
        self._usage = UsageStore(database)

    # --- following the log ---

    def next(self) -> int:
        with in_time():
            row = self._followers.find_one({"_id": _FOLLOWER})
        return 0 if row is None else int(row["next"])

    def days(self, keys: Collection[Key]) -> dict[Key, Day]:
        wanted = ["/".join(key) for key in keys]
        with in_time():
            rows = list(self._days.find({"_id": {"$in": wanted}})) if wanted else []
        return {(row["day"], row["actor_id"]): _day(row) for row in rows}

    def related(self, pairs: Collection[Pair]) -> set[Pair]:
        """Those of the pairs of which the person has worked on the case."""
        wanted = {"/".join(pair): pair for pair in pairs}
        with in_time():
            rows = list(self._relations.find({"_id": {"$in": list(wanted)}})) if wanted else []
        return {wanted[row["_id"]] for row in rows}

    def advance(
        self,
        span: tuple[int, int],
        days: Mapping[Key, Day],
        found: Sequence[Finding],
        related: Iterable[Pair],
        sums: Mapping[str, Sum],
    ) -> None:
        """Keep what the entries of this span came to, once. Raises Overtaken."""
        changes: list[tuple[Any, list[Any]]] = [
            (
                self._days,
                [ReplaceOne({"_id": "/".join(key)}, asdict(day), True) for key, day in days.items()],
            ),
            (
                self._relations,
                [UpdateOne({"_id": "/".join(pair)}, {"$setOnInsert": {}}, True) for pair in related],
            ),
            (self._reviews, [_more_of(one) for one in found]),
            (self._usage.rows, replaced(sums)),
        ]

        def store(session: Session) -> None:
            begin, end = span
            moved = self._followers.update_one(
                {"_id": _FOLLOWER, "next": begin}, {"$set": {"next": end}}, session=session
            )
            if not moved.matched_count:
                if begin:
                    raise Overtaken
                # The first time. Another instance's first time makes this one's fail.
                self._followers.insert_one({"_id": _FOLLOWER, "next": end}, session=session)
            for collection, operations in changes:
                if operations:
                    collection.bulk_write(operations, ordered=False, session=session)

        transact(self._client, Deadline.after(LONGEST), store)

    def sums(self, ids: Iterable[str]) -> dict[str, Sum]:
        """Those that there are."""
        return self._usage.known(ids)

    def usage(self, since: date, until: date, agency_id: str | None) -> Together:
        """Of these days, both included; of one agency, or of all."""
        return together(self._usage.of(cover(since, until), agency_id))

    # --- reviews ---

    def reviews(self, wanted: Wanted, after: tuple[str, str] | None, limit: int) -> list[Document]:
        """The newest day first; those behind `after` (day and id)."""
        fields = {"agency_id": wanted.agency_id, "state": wanted.state, "kind": wanted.kind}
        fields["actor_id"] = wanted.actor_id
        query: Document = {name: value for name, value in fields.items() if value is not None}
        if after is not None:
            query["day"] = {"$lte": after[0]}
            query["$or"] = [{"day": {"$lt": after[0]}}, {"_id": {"$lt": after[1]}}]
        name = "all" if wanted.agency_id is None else "agency"
        with in_time():
            rows = self._reviews.find(query).sort([("day", DESCENDING), ("_id", DESCENDING)])
            return list(rows.limit(limit).hint(name))

    def review(self, review_id: str) -> Document | None:
        with in_time():
            return self._reviews.find_one({"_id": review_id})

    def decide(self, review_id: str, said: Document, session: Session) -> Document | None:
        """`said`: {decision, reason, by, at}. The review as it is then; None if there is none."""
        return self._reviews.find_one_and_update(
            {"_id": review_id},
            {"$set": {"state": "decided"}, "$push": {"decisions": {"$each": [said], "$slice": -50}}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )

    def forget_before(self, day: str) -> int:
        """Delete days and reviews before; how many of both. Who has worked on which case stays."""
        older = {"day": {"$lt": day}}
        with in_time():
            self._usage.rows.delete_many({"last": {"$lt": day}})
        return sum(found.delete_many(older).deleted_count for found in (self._days, self._reviews))


def _more_of(one: Finding) -> UpdateOne:
    count: Document = {"$inc": {"count": one.more}} if one.total is None else {"$max": {"count": one.total}}
    return UpdateOne(
        {"_id": one.id},
        {
            **count,
            "$set": {"state": "open"},
            "$push": {"entry_ids": {"$each": one.entry_ids, "$slice": ENTRIES_NAMED}},
            "$setOnInsert": {
                "kind": one.kind,
                "day": one.day,
                "actor_id": one.actor_id,
                "agency_id": one.agency_id,
                "decisions": [],
            },
        },
        upsert=True,
    )


def _day(row: Document) -> Day:
    return Day(**{name: row[name] for name in Day.__slots__})


def _make_indexes(database: Database[Document]) -> None:
    database["days"].create_index([("day", ASCENDING), ("agency_id", ASCENDING)], name="day")
    database["days"].create_index([("agency_id", ASCENDING), ("day", ASCENDING)], name="agency")
    behind = [("day", DESCENDING), ("_id", DESCENDING), ("state", 1), ("kind", 1), ("actor_id", 1)]
    database["reviews"].create_index(behind, name="all")
    database["reviews"].create_index([("agency_id", ASCENDING), *behind], name="agency")
    for name in ("followers", "relations"):
        if name not in database.list_collection_names():
            database.create_collection(name)


STEPS = (Step("days_indexes", _make_indexes), *usage.STEPS)
