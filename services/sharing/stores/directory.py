"""People, teams and clients read together, as grants and the directory need them. Writes nothing.

It reads `users`, `teams`, `clients` and `standing`, which have their own stores.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from services.chassis.mongo import Document, in_time
from services.contracts.sharing.directory import DirectoryKind
from services.sharing.domain.clients import Client
from services.sharing.domain.known import Known, Today, known_client, known_team, known_user
from services.sharing.domain.london import day_of
from services.sharing.domain.people import User
from services.sharing.domain.words import words_of
from services.sharing.stores.agencies import AgencyStore
from services.sharing.stores.authority import AuthorityStore
from services.sharing.stores.clients import ClientStore, client_of
from services.sharing.stores.pages import cursor_of, read_cursor
from services.sharing.stores.people import PROJECTION, UserStore, user_of
from services.sharing.stores.teams import TeamStore, team_of

MOST_FOUND = 200
"""Of each kind, that a search looks at: whoever wants others asks more exactly."""
MOST_MEMBERS = 5000
"""Of all the teams that one case is given to."""
KINDS: tuple[DirectoryKind, ...] = ("team", "user", "client")
"""In the order in which the directory lists them."""


class DirectoryStore:
    """Who there is."""

    def __init__(self, database: Database[Document]) -> None:
        self._users, self._teams, self._clients = (
            UserStore(database),
            TeamStore(database),
            ClientStore(database),
        )
        self._agencies, self._authority = AgencyStore(database), AuthorityStore.of(database)
        self._rows: dict[DirectoryKind, Any] = {
            "user": database["users"],
            "team": database["teams"],
            "client": database["clients"],
        }

    def today(self) -> Today:
        """How everything stands, read behind the barrier: so do the reads that follow it see all that was
        committed before."""
        now = datetime.now(UTC)
        return Today(self._authority.present().standing(day_of(now)), now)

    def known(self, ids: Collection[str], today: Today) -> dict[str, Known]:
        """By index key. An id is looked for among people, teams and clients: ids are never used twice."""
        return self.by_kind(today, users=ids, teams=ids, clients=ids)

    def by_kind(
        self,
        today: Today,
        *,
        users: Collection[str] = (),
        teams: Collection[str] = (),
        clients: Collection[str] = (),
    ) -> dict[str, Known]:
        """By index key, those of the ids that there are."""
        found: list[Known] = []
        if users:
            found += (known_user(one, today.on, today.now) for one in self._users.known(users).values())
        if teams:
            found += (known_team(one, today.on) for one in self._teams.known(teams).values())
        if clients:
            found += self._with_their_people(self._clients.known(clients).values(), today)
        return {one.key: one for one in found}

    def members(self, team_ids: Collection[str], today: Today) -> list[Known]:
        """The people of these teams, each once, by id."""
        if not team_ids:
            return []
        wanted = {"team_ids": {"$in": list(team_ids)}}
        with in_time():
            rows = list(self._rows["user"].find(wanted, PROJECTION).limit(MOST_MEMBERS))
        people = sorted((user_of(row) for row in rows), key=lambda user: user.id)
        return [known_user(one, today.on, today.now) for one in people]

    def names(self, ids: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Names by id, and agencies by id, of whatever has one of these ids."""
        names: dict[str, str] = {}
        agencies: dict[str, str] = {}
        wanted = {"_id": {"$in": list(ids)}}
        with in_time():
            for kind in KINDS:
                for row in self._rows[kind].find(wanted, {"name": True, "agency_id": True}):
                    names[row["_id"]], agencies[row["_id"]] = row["name"], row["agency_id"]
                if len(names) == len(wanted["_id"]["$in"]):
                    return names, agencies
        for agency in self._agencies.known(ids).values():
            names[agency.id] = agency.name
        return names, agencies

    def page(
        self, agency_id: str, limit: int, cursor: str | None, today: Today
    ) -> tuple[list[Known], str | None]:
        """Teams, then people, then clients of an agency, each by name."""
        kind, inner = _place(cursor)
        found: list[Known] = []
        for one in KINDS[KINDS.index(kind) :]:
            part, after = self._part(one, agency_id, limit - len(found), inner, today)
            found += part
            if after is not None:
                return found, cursor_of([one, after])
            inner = None
            if len(found) >= limit and one != KINDS[-1]:
                return found, cursor_of([KINDS[KINDS.index(one) + 1], None])
        return found, None

    def page_of_team(
        self, team_id: str, limit: int, cursor: str | None, today: Today
    ) -> tuple[list[Known], str | None]:
        """The people of one team, by name; nobody for a team that there is not."""
        people = sorted(self.members([team_id], today), key=lambda one: (one.name.casefold(), one.id))
        return _cut(people, limit, cursor)

    def search(
        self, text: str, agency_id: str | None, limit: int, cursor: str | None, today: Today
    ) -> tuple[list[Known], str | None]:
        """Whoever has, for each word of the text, a word that begins with it; by name."""
        words = words_of(text)
        if not words:
            return [], None
        # The longest is likely to be the rarest: the index serves one of them.
        wanted: Document = {
            "$and": [{"words": _begins(word)} for word in sorted(words, key=len, reverse=True)]
        }
        if agency_id is not None:
            wanted["agency_id"] = agency_id
        found: list[Known] = []
        with in_time():
            rows = {
                kind: list(self._rows[kind].find(wanted, _projection(kind)).limit(MOST_FOUND))
                for kind in KINDS
            }
        found += (known_team(team_of(row), today.on) for row in rows["team"])
        found += (known_user(user_of(row), today.on, today.now) for row in rows["user"])
        clients = [client_of(row) for row in rows["client"] if row["state"] == "active"]
        found += self._with_their_people(clients, today)
        return _cut(sorted(found, key=lambda one: (one.name.casefold(), one.id)), limit, cursor)

    def team_names(self, people: Iterable[Known]) -> dict[str, str]:
        """Of the first team of each."""
        ids = {one.team_ids[0] for one in people if one.team_ids}
        return {team.id: team.name for team in self._teams.known(ids).values()} if ids else {}

    def _part(
        self, kind: DirectoryKind, agency_id: str, limit: int, cursor: str | None, today: Today
    ) -> tuple[list[Known], str | None]:
        if kind == "team":
            teams, after = self._teams.page(agency_id, limit, cursor)
            return [known_team(one, today.on) for one in teams], after
        if kind == "user":
            people, after = self._users.page(agency_id, None, limit, cursor)
            return [known_user(one, today.on, today.now) for one in people], after
        clients, after = self._clients.page(agency_id, limit, cursor)
        return list(self._with_their_people(clients, today)), after

    def _with_their_people(self, clients: Iterable[Client], today: Today) -> Iterator[Known]:
        clients = list(clients)
        people: dict[str, User] = (
            self._users.known({one.accountable_user_id for one in clients}) if clients else {}
        )
        for one in clients:
            yield known_client(one, people.get(one.accountable_user_id), today.on, today.now)


def _projection(kind: DirectoryKind) -> Document | None:
    if kind == "user":
        return PROJECTION
    return {"secrets": False, "sessions": False} if kind == "client" else None


def _begins(word: str) -> re.Pattern[str]:
    return re.compile("^" + re.escape(word))


def _place(cursor: str | None) -> tuple[DirectoryKind, str | None]:
    if cursor is None:
        return KINDS[0], None
    found: tuple[DirectoryKind, str | None] = read_cursor(cursor, _read_place)
    return found


def _read_place(found: Any) -> tuple[DirectoryKind, str | None]:
    kind, inner = found
    if kind not in KINDS or not isinstance(inner, str | None):
        raise ValueError
    return kind, inner


def _cut(found: Sequence[Known], limit: int, cursor: str | None) -> tuple[list[Known], str | None]:
    """The part after the one that the cursor names. Raises Malformed when that is not among them any more."""
    ids = [one.id for one in found]
    start = 0 if cursor is None else read_cursor(cursor, ids.index) + 1
    part = list(found[start : start + limit])
    return part, cursor_of(part[-1].id) if len(found) > start + limit else None
