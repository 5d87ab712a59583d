"""What others say of the log. In the database that the service can only add to (`stores/tree.py`).

witnesses     {_id: name, key: bytes, agency_id, at}: who signs under a name; the first that used it
cosignatures  {_id: "size/name", size, name, agency_id, line, signed_at, at}
conflicts     {_id: SHA-256 of the note, size, note, agency_id, at}: signed by the log, and not what it has
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.audit.domain.cosignatures import Cosignature, WitnessKey
from services.audit.stores.tree import append_only
from services.chassis.migrations import Step
from services.chassis.mongo import Document, in_time

MOST = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """A cosignature as it is kept."""

    size: int
    name: str
    agency_id: str
    line: str
    signed_at: datetime


class WitnessStore:
    """Witnesses, their cosignatures, and what they found."""

    def __init__(self, database: Database[Document]) -> None:
        log = append_only(database)
        self._witnesses, self._cosignatures = log["witnesses"], log["cosignatures"]
        self._conflicts = log["conflicts"]

    def claim(self, key: WitnessKey, agency_id: str, now: datetime) -> bool:
        """Whether the name is this agency's with this key; the first use makes it so.

        An agency has `MOST` at most: every cosignature is a line of a note that all read.
        """
        row = {"_id": key.name, "key": key.key, "agency_id": agency_id, "at": now}
        with in_time():
            kept = self._witnesses.find_one({"_id": key.name})
            if kept is None and self._witnesses.count_documents({"agency_id": agency_id}, limit=MOST) < MOST:
                with suppress(DuplicateKeyError):
                    self._witnesses.insert_one(row)
                kept = self._witnesses.find_one({"_id": key.name})
        return kept is not None and (bytes(kept["key"]), kept["agency_id"]) == (key.key, agency_id)

    def add(self, size: int, key: WitnessKey, signed: Cosignature, agency_id: str, now: datetime) -> None:
        """The first of a witness for a size stays."""
        row = {"_id": f"{size}/{key.name}", "size": size, "name": key.name, "agency_id": agency_id}
        with in_time(), suppress(DuplicateKeyError):
            self._cosignatures.insert_one({**row, "line": signed.line, "signed_at": signed.at, "at": now})

    def of(self, sizes: Iterable[int]) -> dict[int, list[Seen]]:
        """By size, in the order of their names."""
        found: dict[int, list[Seen]] = {}
        with in_time():
            rows = self._cosignatures.find({"size": {"$in": list(sizes)}}).sort(
                [("size", ASCENDING), ("name", ASCENDING)]
            )
            for row in rows:
                one = Seen(row["size"], row["name"], row["agency_id"], row["line"], row["signed_at"])
                found.setdefault(one.size, []).append(one)
        return found

    def conflict(self, size: int, note: str, agency_id: str, now: datetime) -> bool:
        """Keep a note that the log signed and does not stand by; whether it is new."""
        digest = hashlib.sha256(note.encode()).hexdigest()
        try:
            with in_time():
                self._conflicts.insert_one(
                    {"_id": digest, "size": size, "note": note, "agency_id": agency_id, "at": now}
                )
        except DuplicateKeyError:
            return False
        return True


def _make_indexes(database: Database[Document]) -> None:
    log = append_only(database)
    log["cosignatures"].create_index([("size", ASCENDING), ("name", ASCENDING)], name="size")
    for name in ("witnesses", "conflicts"):
        if name not in log.list_collection_names():
            log.create_collection(name)


def _make_index_of_agencies(database: Database[Document]) -> None:
    append_only(database)["witnesses"].create_index([("agency_id", ASCENDING)], name="agency")


STEPS = (Step("witnesses", _make_indexes), Step("witnesses_agency", _make_index_of_agencies))
