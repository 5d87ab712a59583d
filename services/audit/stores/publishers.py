"""How far each process that records has counted.

publishers  {_id: "service/process", last, at, missing: [{first, last, since}]}
gaps        {_id: "service/process/first", last, at}: numbers that were alarmed. Only ever added to
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from pymongo import ASCENDING, ReplaceOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.audit.domain.numbering import GRACE, Count, Gap
from services.audit.domain.sequencing import Publisher
from services.chassis.migrations import Step
from services.chassis.mongo import Document, Session, in_time

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
                ReplaceOne({"_id": _key(publisher)}, _row(count, now), upsert=True)
                for publisher, count in counts.items()
            ],
            ordered=False,
            session=session,
        )

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


STEPS = (Step("publishers_index", _make_indexes),)
