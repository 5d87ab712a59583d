"""Who asks and what is asked about: a case with people in every relation to it, made over the API."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo import story
from deploy.demo.api import Api
from deploy.demo.seed import activate, sign_procedure
from tests.checks.ground import Ground
from tests.checks.matrix.big import open_big
from tests.checks.matrix.oracle import Actor
from tests.journey.steps import HOUSING, POLICE, POLICING_BODY

PASSWORD = "larch-otter-7-basket"
LEVELS = ("know", "task", "read", "contribute", "manage")


@dataclass(frozen=True)
class Player:
    """An actor with its session; `token` None: nobody."""

    actor: Actor
    token: str | None
    user_id: str = ""


@dataclass
class World:
    """`ids` are what paths name: a real thing of each kind, that the right caller may reach. `big_case_id`:
    of another case, which no player but the owner and his team may know of."""

    on: Ground
    owner: Api
    players: list[Player]
    ids: dict[str, str]
    share_body: dict[str, Any]
    team_id: str
    big_case_id: str
    made: dict[str, Any] = field(default_factory=dict)


def build(on: Ground) -> World:
    owner = on.sign_in(POLICE, "practitioner", 0)
    me = owner.get("/me")
    team = me["teams"][0]["id"]
    tale = story.fresh()
    about = story.subjects(owner, team, tale)
    case = story.open_case(owner, team, tale, about)
    named = _named(on, case["id"], owner)
    ids = _ids(on, owner, case, about, named)
    share = named["body"]
    spare = [one["user_id"] for one in share["members"]]
    big = open_big(owner, team, share["agency_id"], share["protocol_id"], spare)
    world = World(on, owner, [], ids, share, team, big)
    world.players = [*_of_roles(on), *named["players"], *_clients(on, case["id"], owner)]
    return world


def person(on: Ground, role: str, *, agency: str = HOUSING, signed: bool = True) -> tuple[str, Api]:
    """A new user in one role, the landlord's where no other agency is named."""
    administrator = on.sign_in(agency, "agency_admin")
    username = f"matrix.{uuid.uuid4().hex[:10]}"
    body = {
        "username": username,
        "name": f"Matrix {role}",
        "email": f"{username}@thirteen.example",
        "agency_id": administrator.get("/me")["agency"]["id"],
        "team_ids": [],
        "roles": [{"role": role}],
    }
    invited = administrator.post("/users", body)
    activate(on.url, invited["activation_token"], PASSWORD)
    api = Api(on.url).sign_in(username, PASSWORD)
    if signed:
        sign_procedure(api)
    return str(invited["id"]), api


def _named(on: Ground, case_id: str, owner: Api) -> dict[str, Any]:
    """One practitioner at each level, a light participant with a task, and one whose share was revoked."""
    agency = on.cast.user(HOUSING, "practitioner")["agency_id"]
    protocol = next(one for one in owner.all("/protocols") if one["state"] == "active")
    players, path = [], f"/cases/{case_id}/shares"
    people = [(level, "practitioner") for level in LEVELS] + [("task", "light_participant")]
    for level, role in people:
        user_id, api = person(on, role)
        body = {**story.share_body(agency, protocol["id"], [{"user_id": user_id}]), "level": level}
        owner.post(path, body)
        actor = Actor(f"{role} named at {level}", frozenset({role}), level=level)
        players.append(Player(actor, api.token, user_id))
    user_id, api = person(on, "practitioner")
    gone = owner.post(path, story.share_body(agency, protocol["id"], [{"user_id": user_id}]))
    owner.delete(f"{path}/{gone['id']}?reason=other")
    players.append(Player(Actor("practitioner, revoked", frozenset({"practitioner"})), api.token, user_id))
    given, _ = person(on, "practitioner")
    share_id = owner.post(path, story.share_body(agency, protocol["id"], [{"user_id": given}]))["id"]
    spare, _ = person(on, "practitioner")
    body = story.share_body(agency, protocol["id"], [{"user_id": spare}])
    return {"players": players, "body": body, "share": share_id, "task_for": players[3].user_id}


def _of_roles(on: Ground) -> list[Player]:
    """The owner and his agency, strangers, and one of every other role."""
    found = [Player(Actor("nobody", known=False), None)]
    known = [
        ("owner", POLICE, "practitioner", 0, "own"),
        ("supervisor in the owner team", POLICE, "supervisor", 0, "contribute"),
        ("practitioner, same agency, other team", POLICE, "practitioner", 1, None),
        ("practitioner, agency with a share, not named", HOUSING, "practitioner", 2, None),
        ("practitioner, stranger", "Cleveland Fire and Rescue", "practitioner", 0, None),
        ("administrator", HOUSING, "agency_admin", 0, None),
        ("agency DPO", HOUSING, "agency_dpo", 0, None),
        ("partnership DPO", POLICING_BODY, "partnership_dpo", 0, None),
        ("security manager", POLICING_BODY, "security_manager", 0, None),
        ("programme manager", POLICING_BODY, "programme_manager", 0, None),
    ]
    for name, agency, role, number, level in known:
        user = on.cast.user(agency, role, number)
        api = on.cast.sign_in(user)
        actor = Actor(name, frozenset({role}), level=level, concerned=role == "agency_dpo")
        found.append(Player(actor, api.token, user["user_id"]))
    operator = next(one for one in on.cast.users if "system_operator" in one["roles"])
    token = on.cast.sign_in(operator).token
    found.append(Player(Actor("operator", frozenset({"system_operator"})), token, operator["user_id"]))
    user_id, api = person(on, "practitioner", signed=False)
    actor = Actor("practitioner, unsigned", frozenset({"practitioner"}), signed=False)
    found.append(Player(actor, api.token, user_id))
    user_id, api = person(on, "practitioner")
    on.sign_in(HOUSING, "agency_admin").patch(f"/users/{user_id}", {"state": "disabled"})
    found.append(Player(Actor("practitioner, disabled", known=False), api.token, user_id))
    return found


def _clients(on: Ground, case_id: str, owner: Api) -> list[Player]:
    """Systems of the landlord's: one that is named and reads, one that is not named."""
    administrator = on.sign_in(HOUSING, "agency_admin")
    housing = on.cast.user(HOUSING, "practitioner")
    protocol = next(one for one in owner.all("/protocols") if one["state"] == "active")
    found = []
    for name, scopes in (("named", ["cases:read"]), ("not named", ["cases:read", "cases:write"])):
        body = {
            "agency_id": housing["agency_id"],
            "name": f"Matrix {name}",
            "accountable_user_id": housing["user_id"],
            "scopes": scopes,
            "expires_at": (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat(),
        }
        made = administrator.post("/clients", body)
        api = Api(on.url).sign_in_client(made["client_id"], made["client_secret"])
        level = None
        if name == "named":
            level = "contribute"
            share = story.share_body(housing["agency_id"], protocol["id"], [{"client_id": made["client_id"]}])
            owner.post(f"/cases/{case_id}/shares", share)
        actor = Actor(f"client, {name}", scopes=frozenset(scopes), level=level, client=True)
        found.append(Player(actor, api.token, made["client_id"]))
    body = {**body, "name": "Matrix provisioning", "scopes": ["provisioning"]}
    made = administrator.post("/clients", body)
    actor = Actor("client that provisions", scopes=frozenset({"provisioning"}), client=True)
    found.append(Player(actor, made["provisioning_token"], made["client_id"]))
    return found


def _ids(
    on: Ground, owner: Api, case: dict[str, Any], about: dict[str, str], named: dict[str, Any]
) -> dict[str, str]:
    administrator = on.sign_in(HOUSING, "agency_admin")
    housing = on.cast.user(HOUSING, "practitioner")
    entry = owner.all(f"/cases/{case['id']}/entries")[0]
    task = story.task(owner, case["id"], named["task_for"], "Matrix task")
    link = owner.all(f"/subjects/{about['victim']}/links")[0]
    return {
        "case_id": case["id"],
        "entry_id": entry["id"],
        "task_id": task["id"],
        "share_id": named["share"],
        "subject_id": about["victim"],
        "link_id": link["id"],
        "other_subject_id": about["premises"],
        "agency_id": housing["agency_id"],
        "user_id": person(on, "practitioner")[0],
        "person_id": person(on, "practitioner")[0],
        "accountable_id": housing["user_id"],
        "team_id": administrator.all("/teams")[0]["id"],
        "client_id": on.cast.clients[0]["id"],
        "protocol_id": owner.all("/protocols")[0]["id"],
        "transfer_id": str(uuid.uuid4()),
    }
