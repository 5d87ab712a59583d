"""Reads from the stores, as their operator, what took effect. Nothing here asks a service."""

from __future__ import annotations

import re
import time
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from tests.faults.history import Applied, Change, Emitted, Exchange, History

Client = pymongo.MongoClient[dict[str, Any]]


def read(client: Client, run: str, exchanges: tuple[Exchange, ...], *, boxed: bool) -> History:
    """The history of the trial whose notes begin with `run`."""
    echo, mirror, mine = client["echo"], client["mirror"], _mine(run)
    changes = echo["changes"].find(mine)
    notes = echo["notes"].find({"_id": mine["note_id"]})
    boxes = echo["commands"].find({"events.aggregate": re.compile(f"^notes/{re.escape(run)}-")})
    applied = mirror["applied"].find(mine)
    return History(
        exchanges,
        tuple(Change(row["note_id"], row["version"], row["key"]) for row in changes),
        tuple((row["_id"], row["version"]) for row in notes),
        tuple(
            Emitted(one["aggregate"].removeprefix("notes/"), one["number"], one["id"], not row.get("unsent"))
            for row in boxes
            for one in row["events"]
        ),
        tuple(Applied(row["note_id"], row["number"], row["event_id"], row["turn"]) for row in applied),
        boxed,
    )


def settle(client: Client, run: str, seconds: float) -> float:
    """Wait until as many events took effect as there are changes, at most `seconds`; say for how long."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            if _settled(client, run):
                break
        except PyMongoError:
            pass  # a primary is being elected
        time.sleep(0.1)
    return time.monotonic() - began


def _settled(client: Client, run: str) -> bool:
    changes = client["echo"]["changes"].count_documents(_mine(run))
    applied = client["mirror"]["applied"].count_documents(_mine(run))
    return applied >= changes and not client["echo"]["commands"].count_documents({"unsent": True})


def _mine(run: str) -> dict[str, Any]:
    return {"note_id": re.compile(f"^{re.escape(run)}-")}
