"""How everything stood at an instant: what access hung on then, as the rule reads it. Writes nothing.

A version was in force from `since` until before `until` (`kept.py`); the one in its collection has been since
the last one ended, or since it was made. Whatever was not there yet is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, TypeVar

from pymongo.database import Database

from services.chassis.mongo import Document, in_time
from services.contracts.sharing.procedures import ClauseBody
from services.sharing.domain.known import Known, Today, known_client, known_team, known_user
from services.sharing.domain.london import day_of
from services.sharing.domain.ownership import Ownership
from services.sharing.domain.people import User
from services.sharing.domain.procedures import Published, cites_of
from services.sharing.domain.standing import AgencyStanding, ProtocolStanding, Standing
from services.sharing.stores.agencies import agency_of
from services.sharing.stores.clients import client_of
from services.sharing.stores.kept import SHAPES, Kind
from services.sharing.stores.ownerships import ownership_of
from services.sharing.stores.people import user_of
from services.sharing.stores.protocols import protocol_of
from services.sharing.stores.teams import team_of

Made = TypeVar("Made")
MOST = 1000
"""Of agencies and of protocols: a partnership has tens."""


class HistoryStore:
    def __init__(self, database: Database[Document]) -> None:
        self._database, self._history = database, database["history"]

    def ownership(self, case_id: str, at: datetime) -> Ownership | None:
        """Shares that were given later are not in it, also where an older database kept no history."""
        found = self._at("ownership", [case_id], at, ownership_of).get(case_id)
        if found is None:
            return None
        grants = tuple(grant for grant in found.grants if grant.granted_at <= at)
        return found.model_copy(update={"grants": grants})

    def today(self, at: datetime) -> Today:
        """Agencies, protocols and procedures."""
        agencies = self._at("agency", None, at, agency_of)
        protocols = self._at("protocol", None, at, protocol_of)
        with in_time():
            rows = list(self._database["procedures"].find({"created_at": {"$lte": at}}).sort("_id", 1))
        standing = Standing(
            version=0,
            term=0,
            agencies={
                one.id: AgencyStanding(one.name, one.type, one.state, one.places) for one in agencies.values()
            },
            protocols={
                one.id: ProtocolStanding(one.state, one.parties, one.starts_on, one.ends_on)
                for one in protocols.values()
            },
            procedures=tuple(
                Published(
                    row["_id"],
                    row["sha256"],
                    row["effective_from"],
                    row["sign_by"],
                    cites_of([ClauseBody.model_validate(clause) for clause in row["clauses"]]),
                )
                for row in rows
            ),
        )
        return Today(standing.on(day_of(at)), at)

    def known(self, ids: Collection[str], today: Today) -> dict[str, Known]:
        """People, teams and clients by index key, as `today` says of them."""
        people = self._at("user", ids, today.now, _user)
        teams = self._at("team", ids, today.now, team_of)
        clients = self._at("client", ids, today.now, client_of)
        accountable = self._at(
            "user", {one.accountable_user_id for one in clients.values()}, today.now, _user
        )
        found = [
            *(known_user(one, today.on, today.now) for one in people.values()),
            *(known_team(one, today.on) for one in teams.values()),
            *(
                known_client(one, accountable.get(one.accountable_user_id), today.on, today.now)
                for one in clients.values()
            ),
        ]
        return {one.key: one for one in found}

    def _at(
        self, kind: Kind, ids: Iterable[str] | None, at: datetime, make: Callable[[Document], Made]
    ) -> dict[str, Made]:
        """By id; of all of the kind where no ids are given."""
        shape = SHAPES[kind]
        wanted = None if ids is None else list(dict.fromkeys(ids))
        if wanted is not None and not wanted:
            return {}
        then: Document = {"kind": kind, "since": {"$lte": at}, "until": {"$gt": at}}
        live: Document = {shape.began: {"$lte": at}}
        if wanted is not None:
            then["id"], live["_id"] = {"$in": wanted}, {"$in": wanted}
        with in_time():
            # First what is in force: what is changed between the two reads is then in the history as well.
            rows = {
                row["_id"]: row
                for row in self._database[shape.collection].find(live, shape.kept or None).limit(MOST)
            }
            for row in self._history.find(then, {"id": True, "document": True}).limit(MOST):
                rows[row["id"]] = row["document"]
        return {one: make(row) for one, row in rows.items()}


def _user(row: Document) -> User:
    """Its user name and address are not in the history, and nothing here needs them."""
    blank: dict[str, Any] = {"username": "", "email": ""}
    return user_of({**blank, **row})
