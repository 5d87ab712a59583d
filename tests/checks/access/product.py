"""The same worlds put to the product: its own documents, its own rule, its own list and explanation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from services.cases.domain.showing import sees_victims, visible_entries
from services.contracts.access import Owner, decide, standing_of
from services.contracts.bars import About, Bar, for_marking
from services.contracts.caller import Caller
from services.contracts.paging import Ref
from services.contracts.permissions import Permit
from services.contracts.permissions.permit import CASEWORKERS, READ, TASKWORKERS, WRITE
from services.contracts.vocabulary import Section
from services.sharing.domain.audience import item, ways
from services.sharing.domain.barring import of_training
from services.sharing.domain.clients import Client
from services.sharing.domain.known import Known, Today, caller_of, known_client, known_team, known_user
from services.sharing.domain.london import day_of
from services.sharing.domain.ownership import Conflict, Grant, Ownership
from services.sharing.domain.people import Appointment, User
from services.sharing.domain.procedures import Published, Signature
from services.sharing.domain.standing import AgencyStanding, ProtocolStanding, Standing
from services.sharing.domain.teams import Team
from services.sharing.domain.trainings import Training, current_uses
from tests.checks.access.naive import World
from tests.checks.access.worlds import TEAMS

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
PERMITS = {
    kind: {
        least: Permit(roles, scopes, level=least)  # type: ignore[arg-type]
        for least in ("know", "task", "read", "contribute", "manage", "own")
    }
    for kind, roles, scopes in (
        ("read", CASEWORKERS, READ),
        ("write", CASEWORKERS, WRITE),
        ("task", TASKWORKERS, READ),
        ("owner", CASEWORKERS, frozenset[Any]()),
    )
}


@dataclass(frozen=True)
class Product:
    """One world as the product has it. `callers` are those whom `identify` would let in."""

    today: Today
    known: dict[str, Known]
    callers: dict[str, Caller]
    ownerships: list[Ownership]
    world: World

    def verdict(self, who: str, number: int, section: str | None, least: str, kind: str) -> str:
        if self.known[who].because is not None:
            return "door"
        case = self.world["cases"][number]
        about = About(case["use"], case["marking"])
        permit, where = PERMITS[kind][least], cast("Section | None", section)
        decided = decide(self.callers[who], self.ownerships[number].acl, permit, section=where, about=about)
        return "allowed" if decided.refusal is None else decided.refusal.code

    def entries_seen(self, who: str, number: int) -> int:
        case, caller = self.world["cases"][number], self.callers[who]
        standing = standing_of(caller, self.ownerships[number].acl)
        withheld = [SimpleNamespace(agencies=tuple(one), count=1) for one in case["entries"] if one]
        shown = SimpleNamespace(entries=len(case["entries"]), withheld=withheld)
        return 0 if standing is None else visible_entries(shown, caller, standing)  # type: ignore[arg-type]

    def on_perpetrators_side(self, who: str, number: int) -> bool:
        shown = SimpleNamespace(acl=self.ownerships[number].acl)
        return not sees_victims(shown, self.callers[who])  # type: ignore[arg-type]

    def listed_open(self, number: int) -> set[str]:
        """Whom `GET /cases/{id}/access` names as open."""
        found = self.ownerships[number]
        keyed = {one.key: one for one in self.known.values()}
        people = [one for one in self.known.values() if one.kind == "user"]
        use = self.world["cases"][number]["use"]
        taught = use if use in self.world["needs_training"] else None
        told = [item(way, found, self.today, taught) for way in ways(found, keyed, people)]
        return {one.who.id for one in told if one.now == "open"}


def product(world: World) -> Product:
    at = world["now"]
    standing = Standing(
        version=1,
        term=1,
        agencies={
            one: AgencyStanding(one, told["type"], told["state"]) for one, told in world["agencies"].items()
        },
        protocols={
            one: ProtocolStanding(told["state"], tuple(told["parties"]), told["starts_on"], told["ends_on"])
            for one, told in world["protocols"].items()
        },
        procedures=tuple(
            Published(one["version"], "-", one["effective_from"], one["sign_by"])
            for one in world["procedures"]
        ),
    )
    today = Today(standing.on(day_of(at)), at)
    users = {one: _user(one, told) for one, told in world["users"].items()}
    known = {one: known_user(user, today.on, at) for one, user in users.items()}
    for one, told in world["clients"].items():
        known[one] = known_client(_client(one, told), users[told["accountable"]], today.on, at)
    for one in TEAMS:
        known[one] = known_team(Team(one, "a-0", one, 1, BEGUN, BEGUN), today.on)
    callers = {
        one: caller_of(told, today.on, at).model_copy(update={"barred": _barred(world, one, users, today)})
        for one, told in known.items()
        if told.kind != "team"
    }
    return Product(today, known, callers, [_ownership(case, at) for case in world["cases"]], world)


def _barred(world: World, who: str, users: dict[str, User], today: Today) -> dict[str, Bar]:
    person = who if who in users else world["clients"][who]["accountable"]
    taught = current_uses(users[person].trainings, today.on.today)
    found = of_training(world["needs_training"], taught, {})
    away = world["away"].get(who, {})
    return found | {for_marking(marking): Bar(code=code) for marking, code in away.items()}


def _user(user_id: str, told: World) -> User:
    given: dict[str, Any] = {
        "id": user_id,
        "username": user_id,
        "name": user_id,
        "email": "-",
        "agency_id": told["agency"],
        "job_title": None,
        "team_ids": tuple(told["teams"]),
        "roles": tuple(Appointment(one["role"], one["starts_on"], one["ends_on"]) for one in told["roles"]),
        "state": told["state"],
        "signature": None if told["signed"] is None else Signature(told["signed"], "-", BEGUN),
        "has_password": True,
        "has_totp": True,
        "must_change": False,
        "version": 1,
        "created_at": BEGUN,
        "updated_at": BEGUN,
        "trainings": tuple(
            Training("-", one["use"], one["from"], one["until"], BEGUN) for one in told["trainings"]
        ),
    }
    return User(**given)


def _client(client_id: str, told: World) -> Client:
    return Client(
        id=client_id,
        agency_id=told["agency"],
        name=client_id,
        accountable_user_id=told["accountable"],
        scopes=tuple(told["scopes"]),
        networks=(),
        expires_at=told["expires_at"],
        state=told["state"],
        version=1,
        created_at=BEGUN,
        updated_at=BEGUN,
    )


def _ownership(case: World, at: datetime) -> Ownership:
    return Ownership(
        case_id=case["id"],
        term=1,
        epoch=1,
        owner=Owner(user=_ref(case["owner"]), agency=_ref(case["owner_agency"])),
        grants=tuple(_grant(one) for one in case["shares"]),
        conflicts=tuple(
            Conflict(
                id=one,
                user=_ref(one),
                agency=_ref("-"),
                kind="neighbour",
                reason="-",
                declared_by=_ref("-"),
                declared_at=at,
            )
            for one in case["conflicts"]
        ),
        registered_at=BEGUN,
    )


def _grant(share: World) -> Grant:
    given: dict[str, Any] = {
        "id": share["id"],
        "kind": share["kind"],
        "agency": _ref(share["agency"]),
        "user_ids": tuple(share["users"]),
        "team_ids": tuple(share["teams"]),
        "client_ids": tuple(share["clients"]),
        "level": share["level"],
        "sections": tuple(share["sections"]),
        "side": share["side"],
        "protocol_id": share["protocol"],
        "purpose": "-",
        "expires_at": share["expires_at"],
        "regime": "uk_gdpr",
        "granted_by": _ref("-"),
        "granted_at": BEGUN,
        "updated_at": BEGUN,
    }
    return Grant(**given)


def _ref(one: str) -> Ref:
    return Ref(id=one, name=one)
