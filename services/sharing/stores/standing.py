"""The one document that every request is judged by.

standing  {_id: "standing", version, term, agencies: {id: {name, type, state, places, sessions_since?}},
           protocols: {id: {state, parties, starts_on, ends_on}},
           procedures: [{version, sha256, effective_from, sign_by, cites: {code: clause}}]}

`places` is as in `agencies`.

It is written in the transaction of each change of an agency, a protocol or a procedure, so it never says
anything else than they do. It holds the last `PROCEDURES_KEPT` versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from pymongo.database import Database

from services.chassis.mongo import Document, Session, in_time
from services.sharing.domain.agencies import Agency
from services.sharing.domain.procedures import Procedure, Published, cites_of
from services.sharing.domain.protocols import Protocol
from services.sharing.domain.standing import AgencyStanding, ProtocolStanding, Standing
from services.sharing.stores import places

ID = "standing"
PROCEDURES_KEPT = 20
EMPTY: Document = {"_id": ID, "version": 0, "term": 1, "agencies": {}, "protocols": {}, "procedures": []}


class StandingStore:
    """Reads here are majority reads; `authority.py` has the barrier that identify judges by."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["standing"]

    def load(self, session: Session | None = None) -> Standing:
        with in_time():
            row = self._rows.find_one({"_id": ID}, session=session)
        return standing_of(row or EMPTY)

    def put_agency(self, agency: Agency, session: Session) -> None:
        told = {
            "name": agency.name,
            "type": agency.type,
            "state": agency.state,
            "places": places.rows_of(agency.places),
        }
        self._set({f"agencies.{agency.id}.{name}": value for name, value in told.items()}, session)

    def end_sessions(self, agency_ids: Iterable[str], now: datetime, session: Session) -> None:
        """Of these agencies: those that began before `now`."""
        self._set({f"agencies.{one}.sessions_since": now for one in agency_ids}, session)

    def put_protocol(self, protocol: Protocol, session: Session) -> None:
        told = {
            "state": protocol.state,
            "parties": list(protocol.parties),
            "starts_on": protocol.starts_on.isoformat(),
            "ends_on": protocol.ends_on.isoformat(),
        }
        self._set({f"protocols.{protocol.id}": told}, session)

    def put_procedure(self, procedure: Procedure, session: Session) -> None:
        told = {
            "version": procedure.version,
            "sha256": procedure.sha256,
            "effective_from": procedure.effective_from,
            "sign_by": procedure.sign_by,
            "cites": cites_of(procedure.clauses),
        }
        push = {"procedures": {"$each": [told], "$slice": -PROCEDURES_KEPT}}
        self._update({"$push": push}, session)

    def _set(self, values: dict[str, Any], session: Session) -> None:
        self._update({"$set": values}, session)

    def _update(self, change: Document, session: Session) -> None:
        self._rows.update_one({"_id": ID}, {**change, "$inc": {"version": 1}}, upsert=True, session=session)


def standing_of(row: Document) -> Standing:
    """The document as the rules read it."""
    return Standing(
        version=row["version"],
        term=row.get("term", 1),
        agencies={
            one: AgencyStanding(
                told["name"],
                told["type"],
                told["state"],
                places.rules_of(told.get("places", ())),
                told.get("sessions_since"),
            )
            for one, told in row.get("agencies", {}).items()
        },
        protocols={one: _protocol(told) for one, told in row.get("protocols", {}).items()},
        procedures=tuple(
            Published(
                told["version"],
                told["sha256"],
                told["effective_from"],
                told["sign_by"],
                told.get("cites", {}),
            )
            for told in row.get("procedures", ())
        ),
    )


def _protocol(told: Document) -> ProtocolStanding:
    return ProtocolStanding(
        told["state"],
        tuple(told["parties"]),
        date.fromisoformat(told["starts_on"]),
        date.fromisoformat(told["ends_on"]),
    )


def begin(database: Database[Document]) -> None:
    """The document is there before the first request: a step of the migrations."""
    first = {key: value for key, value in EMPTY.items() if key != "_id"}
    database["standing"].update_one({"_id": ID}, {"$setOnInsert": first}, upsert=True)
