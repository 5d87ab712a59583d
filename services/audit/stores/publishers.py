"""How far each process that records has counted.

publishers  {_id: "service/process", last, at, missing: [{first, last, since}], open?: true, silent?: when}
            `open`: it has not said that it ended, and was not found silent
gaps        {_id: "service/process/first", last, at}: numbers that were alarmed. Only ever added to
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.audit.domain.numbering import GRACE, SILENCE, Count, Gap
from services.audit.domain.sequencing import Publisher
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time
from services.contracts.records import Mark

ALARMED_AT_ONCE = 100


class PublisherStore:
    """Counts and gaps."""

    def __init__(self, database: Database[Document]) -> None:
        self._publishers, self._gaps = database["publishers"], database["gaps"]

    def counts(self, publishers: Iterable[Publisher]) -> dict[Publisher, Count]:
        """Of those that have been heard of."""
        wanted = [_key(publisher) for publisher in publishers]
        with in_time():
            rows = list(self._publishers.find({"_id": {"$in": wanted}})) if wanted else []
        return {_publisher(row["_id"]): _count(row) for row in rows}

    def keep(self, counts: Mapping[Publisher, Count], now: datetime, session: Session) -> None:
        self._publishers.bulk_write(
            [
                UpdateOne({"_id": _key(publisher)}, {"$set": {**_row(count, now), "open": True}}, upsert=True)
                for publisher, count in counts.items()
            ],
            ordered=False,
            session=session,
        )

    def announce(self, mark: Mark, now: datetime) -> Count:
        """Keep how far a publisher says that it is. A record that comes meanwhile is not forgotten."""
        key = {"_id": _key((mark.service, mark.publisher))}
        while True:
            with in_time():
                row = self._publishers.find_one(key)
                before = Count() if row is None else _count(row)
                count = before.announced(mark.last, mark.doubtful, now)
                change: Document = {"$set": _row(count, now)}
                if mark.ended:
                    change["$unset"] = {"open": ""}
                else:
                    change["$set"]["open"] = True
                same = {} if row is None else {"last": row["last"], "missing": row["missing"]}
                with suppress(DuplicateKeyError):
                    done = self._publishers.update_one({**key, **same}, change, upsert=row is None)
                    if done.matched_count or done.upserted_id is not None:
                        return count

    def silent(self, now: datetime) -> list[Publisher]:
        """Those that say nothing any more, and never said that they ended; each is told of once."""
        found = []
        with in_time():
            wanted = {"open": True, "at": {"$lte": now - SILENCE}}
            for row in list(self._publishers.find(wanted, {"_id": 1}).limit(ALARMED_AT_ONCE)):
                change = {"$unset": {"open": ""}, "$set": {"silent": now}}
                if self._publishers.update_one({"_id": row["_id"], **wanted}, change).modified_count:
                    found.append(_publisher(row["_id"]))
        return found

    def overdue(self, now: datetime) -> list[tuple[Publisher, Gap]]:
        """Gaps that are to be alarmed."""
        with in_time():
            rows = list(
                self._publishers.find({"missing.since": {"$lte": now - GRACE}}).limit(ALARMED_AT_ONCE)
            )
        return [(_publisher(row["_id"]), gap) for row in rows for gap in _count(row).overdue(now)]

    def alarm(self, publisher: Publisher, gap: Gap, now: datetime) -> bool:
        """Keep a gap for good; False if another instance has done so. It is open no longer then."""
        row = {"_id": f"{_key(publisher)}/{gap.first}", "last": gap.last, "at": now}
        new = False
        with in_time():
            with suppress(DuplicateKeyError):
                self._gaps.insert_one(row)
                new = True
            self._publishers.update_one(
                {"_id": _key(publisher)}, {"$pull": {"missing": {"first": gap.first, "last": gap.last}}}
            )
        return new


def _key(publisher: Publisher) -> str:
    return "/".join(publisher)


def _publisher(key: str) -> Publisher:
    service, _, process = key.partition("/")
    return service, process


def _row(count: Count, now: datetime) -> Document:
    missing = [{"first": gap.first, "last": gap.last, "since": gap.since} for gap in count.missing]
    return {"last": count.last, "at": now, "missing": missing}


def _count(row: Document) -> Count:
    missing = tuple(Gap(gap["first"], gap["last"], gap["since"]) for gap in row["missing"])
    return Count(row["last"], missing)


def _make_indexes(database: Database[Document]) -> None:
    database["publishers"].create_index(
        [("missing.since", ASCENDING)],
        name="missing",
        partialFilterExpression={"missing.since": {"$exists": True}},
    )
    if "gaps" not in database.list_collection_names():
        database.create_collection("gaps")


def _make_index_of_open(database: Database[Document]) -> None:
    database["publishers"].create_index(
        [("at", ASCENDING)], name="open", partialFilterExpression={"open": True}
    )


STEPS = (Step("publishers_index", _make_indexes), Step("publishers_open", _make_index_of_open))
