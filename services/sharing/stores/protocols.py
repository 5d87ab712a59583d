"""Where information sharing protocols are kept.

protocols  {_id, title, state, parties: [agency], purposes: [{code, name, legal_gateways: [{code, name,
            recipient_types}]}], data_categories, starts_on, ends_on, review_on, spoc, dpo, document_sha256,
            signatories: [{name, agency_id, at}], version, created_at, updated_at, history}
Dates are text, YYYY-MM-DD.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import NotVisible
from services.contracts.sharing.protocols import Contact, Purpose
from services.sharing.domain.protocols import Protocol, Signatory
from services.sharing.stores.kept import Kept
from services.sharing.stores.pages import page_newest_first

HISTORY_KEPT = 200
_SHOWN = {"history": False}


class ProtocolStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._kept = database["protocols"], Kept(database, "protocol")

    def add(self, protocol: Protocol, session: Session) -> None:
        self._rows.insert_one({**_row(protocol), "history": []}, session=session)

    def load(self, protocol_id: str, session: Session | None = None) -> Protocol:
        """Raises NotVisible."""
        with in_time():
            row = self._rows.find_one({"_id": protocol_id}, _SHOWN, session=session)
        if row is None:
            raise NotVisible
        return protocol_of(row)

    def page(self, party: str | None, limit: int, cursor: str | None) -> tuple[list[Protocol], str | None]:
        """Those that `party` is party to, or all; the newest first."""
        wanted: Document = {} if party is None else {"parties": party}
        return page_newest_first(self._rows, wanted, limit=limit, cursor=cursor, make=protocol_of)

    def between(self, one: str, other: str) -> list[Protocol]:
        """Those with both as parties, the newest first."""
        with in_time():
            rows = list(
                self._rows.find({"parties": {"$all": [one, other]}}, _SHOWN)
                .sort("_id", DESCENDING)
                .limit(100)
            )
        return [protocol_of(row) for row in rows]

    def save(self, after: Protocol, session: Session, step: Document | None = None) -> None:
        """What changed of a protocol; its caller has taken the next version. `step` goes into the history."""
        row = _row(after)
        del row["_id"]
        change: Document = {"$set": row}
        if step is not None:
            change["$push"] = {"history": {"$each": [step], "$slice": -HISTORY_KEPT}}
        self._kept.update({"_id": after.id}, change, session)


def changed(before: Protocol, values: dict[str, Any], now: datetime) -> Protocol:
    """The next version."""
    return replace(before, **values, version=before.version + 1, updated_at=now)


def _row(protocol: Protocol) -> Document:
    return {
        "_id": protocol.id,
        "title": protocol.title,
        "state": protocol.state,
        "parties": list(protocol.parties),
        "purposes": [one.model_dump(mode="json") for one in protocol.purposes],
        "data_categories": list(protocol.data_categories),
        "starts_on": protocol.starts_on.isoformat(),
        "ends_on": protocol.ends_on.isoformat(),
        "review_on": protocol.review_on.isoformat(),
        "spoc": protocol.spoc.model_dump(mode="json"),
        "dpo": protocol.dpo.model_dump(mode="json"),
        "document_sha256": protocol.document_sha256,
        "signatories": [asdict(one) for one in protocol.signatories],
        "version": protocol.version,
        "created_at": protocol.created_at,
        "updated_at": protocol.updated_at,
    }


def protocol_of(row: Document) -> Protocol:
    return Protocol(
        id=row["_id"],
        title=row["title"],
        state=row["state"],
        parties=tuple(row["parties"]),
        purposes=tuple(Purpose.model_validate(one) for one in row["purposes"]),
        data_categories=tuple(row["data_categories"]),
        starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]),
        review_on=date.fromisoformat(row["review_on"]),
        spoc=Contact.model_validate(row["spoc"]),
        dpo=Contact.model_validate(row["dpo"]),
        document_sha256=row["document_sha256"],
        signatories=tuple(Signatory(one["name"], one["agency_id"], one["at"]) for one in row["signatories"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def make_indexes(database: Database[Document]) -> None:
    database["protocols"].create_index([("parties", ASCENDING), ("_id", DESCENDING)], name="by_party")
