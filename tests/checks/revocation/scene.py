"""The cases, their owner, and those who are let in and shut out again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from deploy.demo import story
from deploy.demo.api import Api
from tests.checks.ground import Ground
from tests.journey.steps import HOUSING, POLICE


@dataclass(frozen=True)
class Guest:
    """A principal who is let in and shut out: a person or an agency's own system."""

    key: str
    member: dict[str, str]
    token: str


@dataclass
class Scene:
    """Who takes part, and in what. `references` are the cases' by id. `guests` are named in shares; `member`
    comes and goes through the team `team_id`, which every case is shared with."""

    owner: Api
    agency_id: str
    protocol_id: str
    guests: list[Guest]
    cases: list[dict[str, Any]]
    references: dict[str, str]
    administrator: Api
    member: Guest
    member_teams: list[str]
    team_id: str
    made: dict[str, float] = field(default_factory=dict)
    """When entries were asked for, by id."""


def set_up(on: Ground, cases: int) -> Scene:
    """Cases of a police officer's; two people and a system of the landlord's are the guests, a third person
    the member."""
    owner = on.sign_in(POLICE, "practitioner")
    team = owner.get("/me")["teams"][0]["id"]
    people = [on.sign_in(HOUSING, "practitioner", number) for number in (0, 2, 1)]
    us = [api.get("/me") for api in people]
    *guests, member = [
        Guest(f"u:{me['user']['id']}", {"user_id": me["user"]["id"]}, str(api.token))
        for api, me in zip(people, us, strict=True)
    ]
    administrator, agency_id = on.sign_in(HOUSING, "agency_admin"), us[0]["agency"]["id"]
    joined = administrator.post("/teams", {"agency_id": agency_id, "name": "Comes and goes"})
    client = on.cast.clients[0]
    system = Api(on.url).sign_in_client(client["id"], client["client_secret"])
    guests.append(Guest(f"c:{client['id']}", {"client_id": client["id"]}, str(system.token)))
    protocol = next(one for one in owner.all("/protocols") if one["state"] == "active")
    made = []
    for _ in range(cases):
        tale = story.fresh()
        made.append(story.open_case(owner, team, tale, story.subjects(owner, team, tale)))
    scene = Scene(
        owner,
        agency_id,
        protocol["id"],
        guests,
        made,
        {case["id"]: case["reference"] for case in made},
        administrator,
        member,
        [one["id"] for one in us[2]["teams"]],
        joined["id"],
    )
    for case in made:
        body = share_body(scene, [{"team_id": joined["id"]}], level="contribute")
        owner.post(f"/cases/{case['id']}/shares", body)
    return scene


_turns = itertools.count()


def share_body(scene: Scene, members: list[dict[str, str]], *, level: str) -> Any:
    """A share of this agency, told apart by its note."""
    return {
        **story.share_body(scene.agency_id, scene.protocol_id, members),
        "level": level,
        "note": f"turn {next(_turns)}",
    }
