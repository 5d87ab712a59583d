"""Cases, and people and systems who may not know of them, each for another reason."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo import story
from deploy.demo.api import Api
from deploy.demo.partnership import protocol
from tests.checks.matrix.world import Player, World, person
from tests.journey.steps import HOUSING, POLICE

TRAINED = "vemt"
"""The use whose cases nobody opens without training, and nobody but the owner has had it."""
SENSITIVE = "official_sensitive"
BARRED: dict[str, dict[str, Any]] = {
    "Hartlepool Borough Council": {"marking": SENSITIVE, "networks": ["10.0.0.0/8"]},
    "Stockton-on-Tees Borough Council": {"marking": SENSITIVE, "device_classes": ["managed"]},
    "Redcar and Cleveland Borough Council": {
        "marking": SENSITIVE,
        "networks": ["10.0.0.0/8"],
        "step_up": True,
    },
}
"""Strangers against whom something would stand by itself, if they might know of the case."""
_OFFICERS = frozenset({"agency_dpo", "partnership_dpo"})
"""They may know of cases that they cannot see, if these concern their agency."""
UNCONCERNED = "Cleveland Fire and Rescue"
SUSPENDED = "Tees, Esk and Wear Valleys NHS Trust"


@dataclass(frozen=True)
class Hidden:
    """A case, with things in it."""

    ids: dict[str, str]


@dataclass(frozen=True)
class Outsider:
    """Who may not know of these cases."""

    name: str
    token: str
    cases: tuple[Hidden, ...]


def outsiders(world: World) -> list[Outsider]:
    """On the case of the world, and on one that is closed and asks for training."""
    on, there, closed = world.on, Hidden(world.ids), _closed(world)
    both = (there, closed)
    found = [
        Outsider(player.actor.name, player.token or "nobody", _unknown(player, there, closed))
        for player in world.players
        if player.actor.level != "own" and not _OFFICERS & player.actor.roles
    ]
    for agency, place in BARRED.items():
        on.sign_in(agency, "agency_admin").patch(f"/agencies/{_agency(world, agency)}", {"places": [place]})
        found.append(Outsider(f"barred: {'/'.join(place)}", _token(on.sign_in(agency, "practitioner")), both))
    found += [Outsider(name, token, both) for name, token in _related(world, closed)]
    found.append(_officer(world, both))
    suspended = on.sign_in(SUSPENDED, "practitioner")
    _operator(world).post(
        f"/agencies/{_agency(world, SUSPENDED)}/transitions", {"to": "suspended", "reason": "matrix"}
    )
    return [*found, Outsider("agency suspended", _token(suspended), both)]


def _unknown(player: Player, there: Hidden, closed: Hidden) -> tuple[Hidden, ...]:
    return (closed,) if player.actor.level is not None else (there, closed)


def _officer(world: World, cases: tuple[Hidden, ...]) -> Outsider:
    """Asks why somebody of its own agency, itself, may not see them."""
    user_id, api = person(world.on, "agency_dpo", agency=UNCONCERNED)
    asked = tuple(Hidden({**case.ids, "user_id": user_id}) for case in cases)
    return Outsider("agency DPO, not concerned", _token(api), asked)


def _closed(world: World) -> Hidden:
    """With an entry and a task in it."""
    owner, me = world.owner, world.owner.get("/me")
    today = datetime.now(UTC).date()
    training = {
        "use": TRAINED,
        "completed_on": (today - timedelta(days=2)).isoformat(),
        "expires_on": (today + timedelta(days=90)).isoformat(),
    }
    world.on.sign_in(POLICE, "agency_admin").post(f"/users/{me['user']['id']}/trainings", training)
    body = {
        "template": TRAINED,
        "title": "Closed",
        "priority": "low",
        "marking": SENSITIVE,
        "owner_team_id": None,
        "subjects": [{"subject_id": world.ids["subject_id"], "role": "victim"}],
        "summary": "Closed.",
    }
    case_id = owner.post("/cases", body)["id"]
    entry = story.note(owner, case_id, "Closed")
    task = story.task(owner, case_id, me["user"]["id"], "Closed")
    return Hidden({**world.ids, "case_id": case_id, "entry_id": entry["id"], "task_id": task["id"]})


def _related(world: World, closed: Hidden) -> Iterator[tuple[str, str]]:
    """Those who are named, and may not know of it all the same; then the case is closed."""
    owner, on = world.owner, world.on
    operator, housing = _operator(world), on.cast.user(HOUSING, "practitioner")["agency_id"]
    today, year = datetime.now(UTC).date(), timedelta(days=365)
    parties = [on.cast.user(POLICE, "practitioner")["agency_id"], housing]
    lapsing = operator.post("/protocols", protocol("Lapses", parties, today - year, today + year))["id"]
    _move(operator, lapsing, "signed", "active")
    users = {name: person(on, "practitioner") for name in ("conflict", "share ended", "protocol expired")}
    for case_id in (world.ids["case_id"], closed.ids["case_id"]):
        path = f"/cases/{case_id}"
        for name, (user_id, _) in users.items():
            under = lapsing if name == "protocol expired" else world.share_body["protocol_id"]
            share = owner.post(f"{path}/shares", story.share_body(housing, under, [{"user_id": user_id}]))
            if name == "share ended":
                owner.delete(f"{path}/shares/{share['id']}?reason=other")
        conflict = {"user_id": users["conflict"][0], "kind": "neighbour", "reason": "matrix"}
        owner.post(f"{path}/conflicts", conflict)
    _move(operator, lapsing, "expired")
    owner.post(f"/cases/{closed.ids['case_id']}/transitions", {"to": "closed", "reason": "matrix"})
    for name, (_, api) in users.items():
        yield name, _token(api)
    yield "client that ran out", _lapsed_client(world)


def _lapsed_client(world: World) -> str:
    administrator = world.on.sign_in(HOUSING, "agency_admin")
    body = {
        "agency_id": world.ids["agency_id"],
        "name": f"Matrix {uuid.uuid4().hex[:6]}",
        "accountable_user_id": world.ids["accountable_id"],
        "scopes": ["cases:read", "cases:write"],
        "expires_at": (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat(),
    }
    made = administrator.post("/clients", body)
    api = Api(world.on.url).sign_in_client(made["client_id"], made["client_secret"])
    over = (datetime.now(UTC) - timedelta(minutes=1)).replace(microsecond=0).isoformat()
    administrator.patch(f"/clients/{made['id']}", {"expires_at": over})
    return _token(api)


def _move(operator: Api, protocol_id: str, *states: str) -> None:
    for to in states:
        operator.post(f"/protocols/{protocol_id}/transitions", {"to": to, "reason": "matrix"})


def _operator(world: World) -> Api:
    cast = world.on.cast
    return cast.sign_in(next(one for one in cast.users if "system_operator" in one["roles"]))


def _agency(world: World, name: str) -> str:
    return str(world.on.cast.user(name, "practitioner")["agency_id"])


def _token(api: Api) -> str:
    return str(api.token)
