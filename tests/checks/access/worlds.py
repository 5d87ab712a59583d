"""Random worlds, as plain dicts: everything that a decision hangs on, often at the edge of a day or a date.

world  {now, agencies: {id: {type, state}}, protocols: {id: {state, parties, starts_on, ends_on}},
        procedures: [{version, effective_from, sign_by}], needs_training: [use],
        users: {id: {agency, teams, roles: [{role, starts_on, ends_on}], state, signed,
        trainings: [{use, from, until}]}}, clients: {id: {agency, accountable, scopes, state, expires_at}},
        away: {id: {marking: code}}, cases: [{id, use, marking, owner, owner_agency, conflicts, entries:
        [[agency it is withheld from]], shares: [{id, kind, agency, users, teams, clients, level, sections,
        side, protocol, expires_at}]}]}
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.checks.access.naive import ALL_SECTIONS, World

AGENCIES = ["a-0", "a-1", "a-2", "a-3", "a-op"]
TYPES = ["police", "local_authority", "housing_association", "nhs_trust", "operator"]
TEAMS = ["t-0", "t-1", "t-2", "t-3"]
USERS = [f"u-{number}" for number in range(9)]
CLIENTS = ["c-0", "c-1"]
PROTOCOLS = ["p-0", "p-1", "p-2"]
USES = ["complex_asb", "victims_first", "vemt"]
MARKINGS = ["official", "official_sensitive"]
STEP = timedelta(microseconds=1)


def few(dice: Random, names: list[str], chance: float = 0.35) -> list[str]:
    return [one for one in names if dice.random() < chance]


def now(dice: Random) -> datetime:
    """Often at a London midnight, in summer and in winter."""
    day = date(2026, dice.choice((1, 6, 10, 11)), dice.randrange(1, 29))
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
    return midnight + dice.choice(
        (-STEP, timedelta(), STEP, timedelta(hours=10), timedelta(hours=23, minutes=30))
    )


def near(dice: Random, at: datetime) -> datetime:
    return at + dice.choice(
        (-timedelta(days=9), -STEP, timedelta(), STEP, timedelta(days=9), timedelta(days=20))
    )


def day(dice: Random, at: datetime, *, mostly: int) -> date:
    """Around today; `mostly` -1: before it, 1: after it."""
    today = at.astimezone(ZoneInfo("Europe/London")).date()
    away = dice.choice((-1, 0, 1)) if dice.random() < 0.25 else mostly * dice.randrange(1, 40)
    return today + timedelta(days=away)


def world(dice: Random) -> World:
    at = now(dice)
    made: World = {
        "now": at,
        "agencies": {
            one: {"type": kind, "state": dice.choice(("active",) * 27 + ("suspended", "expired", "signed"))}
            for one, kind in zip(AGENCIES, TYPES, strict=True)
        },
        "protocols": {one: _protocol(dice, at) for one in PROTOCOLS},
        "procedures": _procedures(dice, at),
        "needs_training": few(dice, USES, 0.3),
        "away": {},
    }
    made["users"] = {one: _user(dice, at, made) for one in USERS}
    made["clients"] = {one: _client(dice, at, made) for one in CLIENTS}
    for one in [*USERS, *CLIENTS]:
        codes = ("network_not_permitted", "device_not_permitted", "step_up_required")
        made["away"][one] = {marking: dice.choice(codes) for marking in few(dice, MARKINGS, 0.15)}
    made["cases"] = [_case(dice, at, made, number) for number in range(3)]
    return made


def _protocol(dice: Random, at: datetime) -> World:
    return {
        "state": dice.choice(("active",) * 12 + ("signed", "expired", "ended")),
        "parties": few(dice, AGENCIES[:-1], 0.85),
        "starts_on": day(dice, at, mostly=-1),
        "ends_on": day(dice, at, mostly=1),
    }


def _procedures(dice: Random, at: datetime) -> list[World]:
    """In the order in which they come into effect."""
    begins = sorted(at - timedelta(days=dice.randrange(1, 90)) for _ in range(dice.choice((1, 2, 2, 3))))
    if dice.random() < 0.2:
        begins[-1] = near(dice, at)
        begins.sort()
    return [
        {"version": number, "effective_from": begun, "sign_by": max(begun, near(dice, at))}
        for number, begun in enumerate(begins, 1)
    ]


def _user(dice: Random, at: datetime, made: World) -> World:
    latest = len(made["procedures"])
    casework = ("practitioner", "practitioner", "supervisor", "light_participant")
    kinds = dice.choice(
        (casework, casework, ("agency_admin", "agency_dpo", "governance_member", "system_operator"))
    )
    return {
        "agency": dice.choice(AGENCIES[:3] * 3 + AGENCIES),
        "teams": few(dice, TEAMS),
        "roles": [
            {
                "role": dice.choice(kinds),
                "starts_on": dice.choice((None, day(dice, at, mostly=-1))),
                "ends_on": dice.choice((None, day(dice, at, mostly=1))),
            }
            for _ in range(dice.choice((1, 1, 2)))
        ],
        "state": dice.choice(("active",) * 18 + ("disabled", "invited")),
        "signed": dice.choice((latest,) * 12 + (max(1, latest - 1), None)),
        "trainings": [
            {"use": use, "from": day(dice, at, mostly=-1), "until": day(dice, at, mostly=1)}
            for use in few(dice, USES, 0.6)
        ],
    }


def _client(dice: Random, at: datetime, made: World) -> World:
    accountable = dice.choice(USERS)
    home = made["users"][accountable]["agency"]
    return {
        "agency": home if dice.random() < 0.85 else dice.choice(AGENCIES),
        "accountable": accountable,
        "scopes": few(dice, ["cases:read", "cases:write", "directory:read"], 0.6),
        "state": dice.choice(("active",) * 9 + ("deleted",)),
        "expires_at": dice.choice((at + timedelta(days=30), near(dice, at))),
    }


def _case(dice: Random, at: datetime, made: World, number: int) -> World:
    owner = dice.choice(USERS)
    home = made["users"][owner]["agency"]
    case: World = {
        "id": f"k-{number}",
        "use": dice.choice(USES),
        "marking": dice.choice(MARKINGS),
        "owner": owner,
        "owner_agency": home if dice.random() < 0.9 else dice.choice(AGENCIES[:-1]),
        "conflicts": few(dice, [*USERS, *CLIENTS], 0.08),
        "entries": [few(dice, AGENCIES, 0.3) for _ in range(dice.randrange(6))],
        "shares": [],
    }
    for place in range(dice.choice((0, 1, 2, 3, 4, 4))):
        case["shares"].append(_share(dice, at, f"s-{number}-{place}", case["owner_agency"]))
    return case


def _share(dice: Random, at: datetime, share_id: str, owner_agency: str) -> dict[str, Any]:
    kind = dice.choice(("share",) * 6 + ("team", "break_glass"))
    side = dice.choice((None, None, "victim", "perpetrator")) if kind == "share" else None
    return {
        "id": share_id,
        "kind": kind,
        "agency": owner_agency if kind == "team" else dice.choice(AGENCIES[:3] * 3 + AGENCIES),
        "users": few(dice, USERS, 0.6),
        "teams": few(dice, TEAMS, 0.3) if kind != "break_glass" else [],
        "clients": few(dice, CLIENTS, 0.5) if kind != "break_glass" else [],
        "level": dice.choice(("know", "task", "read", "read", "contribute", "manage")),
        # The victim's too, whatever the side: the rule keeps them out itself.
        "sections": few(dice, ALL_SECTIONS, 0.6),
        "side": side,
        "protocol": dice.choice(PROTOCOLS) if kind == "share" else None,
        "expires_at": None if kind == "team" else dice.choice((at + timedelta(days=30), near(dice, at))),
    }
