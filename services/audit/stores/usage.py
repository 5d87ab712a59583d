"""Sums of people's days, by period and agency.

usage  {_id: "period/agency", period, last, agency_id, own: tally, teams: [{id, …}], uses: [{id, …}]}
       tally: {users: [id], opened, contributed, last_log_in}

Written in the transaction that stores the days (`stores/days.py`), from what the days were before: whoever
did not see the newest days does not get to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, ReplaceOne
from pymongo.database import Database

from services.audit.domain.days import Day
from services.audit.domain.usage import Figures, Sum, Tally, count
from services.chassis.migrations import Step
from services.chassis.mongo import Document, in_time


class UsageStore:
    def __init__(self, database: Database[Document]) -> None:
        self.rows = database["usage"]

    def known(self, ids: Iterable[str]) -> dict[str, Sum]:
        wanted = list(ids)
        with in_time():
            rows = list(self.rows.find({"_id": {"$in": wanted}})) if wanted else []
        return {row["_id"]: _sum(row) for row in rows}

    def of(self, periods: Sequence[str], agency_id: str | None) -> list[Sum]:
        """Of one agency, or of all."""
        with in_time():
            rows = self.rows.find(self.filter(periods, agency_id)).hint("period")
            return [_sum(row) for row in rows]

    @staticmethod
    def filter(periods: Sequence[str], agency_id: str | None) -> Document:
        found: Document = {"period": {"$in": list(periods)}}
        return found if agency_id is None else {**found, "agency_id": agency_id}


def replaced(sums: Mapping[str, Sum]) -> list[Any]:
    """What stores them."""
    return [ReplaceOne({"_id": id_}, _row(one), upsert=True) for id_, one in sums.items()]


def _row(one: Sum) -> Document:
    return {
        "period": one.period,
        "last": one.last,
        "agency_id": one.agency_id,
        "own": _tally_row(one.own),
        "teams": [{"id": id_, **_tally_row(tally)} for id_, tally in one.teams.items()],
        "uses": [{"id": id_, **_tally_row(tally)} for id_, tally in one.uses.items()],
    }


def _tally_row(tally: Tally) -> Document:
    return {
        "users": sorted(tally.users),
        "opened": tally.opened,
        "contributed": tally.contributed,
        "last_log_in": tally.last_log_in,
    }


def _sum(row: Document) -> Sum:
    return Sum(
        row["period"],
        row["last"],
        row["agency_id"],
        _tally(row["own"]),
        {one["id"]: _tally(one) for one in row["teams"]},
        {one["id"]: _tally(one) for one in row["uses"]},
    )


def _tally(row: Document) -> Tally:
    return Tally(set(row["users"]), row["opened"], row["contributed"], row["last_log_in"])


def _make(database: Database[Document]) -> None:
    """The index; and the sums of the days that an earlier version counted without them."""
    rows = database["usage"]
    rows.create_index([("period", ASCENDING), ("agency_id", ASCENDING)], name="period")
    rows.create_index([("last", ASCENDING)], name="last")
    sums = dict[str, Sum]()
    for row in database["days"].find():
        count(sums, Day(**{name: row[name] for name in Day.__slots__}), Figures())
    rows.delete_many({})
    if sums:
        rows.insert_many([{"_id": id_, **_row(one)} for id_, one in sums.items()])


STEPS = (Step("usage_sums", _make),)
