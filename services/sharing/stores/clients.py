"""Where agencies' own systems are kept, each with its credential and sessions.

clients  {_id, agency_id, name, key, words, accountable_user_id, scopes, networks, expires_at, state,
          version, created_at, updated_at, secrets: [{hash, until}],
          sessions: [{id, hash, created_at, seen_at, expires_at, request}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.mongo import Document, Session, in_time
from services.contracts.errors import NotVisible
from services.sharing.domain.clients import Client, Secret
from services.sharing.domain.words import key_of, words_of
from services.sharing.stores.kept import Kept
from services.sharing.stores.pages import page_by_name

_SHOWN: Document = {"secrets": False, "sessions": False}


class ClientStore:
    def __init__(self, database: Database[Document]) -> None:
        self._rows, self._kept = database["clients"], Kept(database, "client")

    def add(self, client: Client, secret: Secret, session: Session) -> None:
        row = {
            "_id": client.id,
            "agency_id": client.agency_id,
            **_named(client.name),
            "accountable_user_id": client.accountable_user_id,
            "scopes": list(client.scopes),
            "networks": list(client.networks),
            "expires_at": client.expires_at,
            "state": client.state,
            "version": client.version,
            "created_at": client.created_at,
            "updated_at": client.updated_at,
            "secrets": _secrets([secret]),
            "sessions": [],
        }
        self._rows.insert_one(row, session=session)

    def load(self, client_id: str, session: Session | None = None) -> Client:
        """Deleted ones too. Raises NotVisible."""
        found = self.known([client_id], session)
        if not found:
            raise NotVisible
        return found[client_id]

    def known(self, ids: Iterable[str], session: Session | None = None) -> dict[str, Client]:
        """Those of the ids that there are, deleted ones too: their names stand in what they wrote."""
        with in_time():
            rows = list(self._rows.find({"_id": {"$in": list(ids)}}, _SHOWN, session=session))
        return {row["_id"]: client_of(row) for row in rows}

    def secrets(self, client_id: str, session: Session | None = None) -> tuple[Secret, ...]:
        """None for an unknown client."""
        with in_time():
            row = self._rows.find_one({"_id": client_id}, {"secrets": True}, session=session)
        return () if row is None else tuple(Secret(one["hash"], one["until"]) for one in row["secrets"])

    def page(self, agency_id: str, limit: int, cursor: str | None) -> tuple[list[Client], str | None]:
        """Those not deleted, by name."""
        wanted = {"agency_id": agency_id, "state": "active"}
        return page_by_name(self._rows, wanted, "key", limit=limit, cursor=cursor, make=client_of)

    def change(self, before: Client, values: dict[str, Any], now: datetime, session: Session) -> Client:
        """Set some of name, accountable_user_id, scopes, networks, expires_at."""
        row: Document = {
            key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
        }
        if "name" in values:
            row |= _named(values["name"])
        self._update(before.id, row, now, session)
        return replace(before, **values, version=before.version + 1, updated_at=now)

    def rotate(self, before: Client, secrets: Sequence[Secret], now: datetime, session: Session) -> None:
        """Where the new secret is the only one, what began with another has ended: that one may be known."""
        ended: Document = {"sessions": []} if len(secrets) == 1 else {}
        self._update(before.id, {"secrets": _secrets(secrets), **ended}, now, session)

    def delete(self, before: Client, now: datetime, session: Session) -> None:
        """It keeps its name, and nothing to log in with."""
        self._update(before.id, {"state": "deleted", "secrets": [], "sessions": []}, now, session)

    def _update(self, client_id: str, values: Document, now: datetime, session: Session) -> None:
        self._kept.update(
            {"_id": client_id}, {"$set": {**values, "updated_at": now}, "$inc": {"version": 1}}, session
        )


def _named(name: str) -> Document:
    return {"name": name, "key": key_of(name), "words": words_of(name)}


def _secrets(secrets: Iterable[Secret]) -> list[Document]:
    return [{"hash": one.hash, "until": one.until} for one in secrets]


def client_of(row: Document) -> Client:
    return Client(
        id=row["_id"],
        agency_id=row["agency_id"],
        name=row["name"],
        accountable_user_id=row["accountable_user_id"],
        scopes=tuple(row["scopes"]),
        networks=tuple(row["networks"]),
        expires_at=row["expires_at"],
        state=row["state"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def make_indexes(database: Database[Document]) -> None:
    rows = database["clients"]
    rows.create_index(
        [("agency_id", ASCENDING), ("state", ASCENDING), ("key", ASCENDING), ("_id", ASCENDING)],
        name="by_name",
    )
    rows.create_index([("words", ASCENDING)], name="by_word")
