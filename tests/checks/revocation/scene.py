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
    """Who takes part, and in what. `references` are the cases' by id."""

    owner: Api
    agency_id: str
    protocol_id: str
    guests: list[Guest]
    cases: list[dict[str, Any]]
    references: dict[str, str]
    made: dict[str, float] = field(default_factory=dict)
    """When entries were asked for, by id."""


def set_up(on: Ground, cases: int) -> Scene:
    """Cases of a police officer's; two people and a system of the landlord's are the guests."""
    owner = on.sign_in(POLICE, "practitioner")
    team = owner.get("/me")["teams"][0]["id"]
    people = [on.sign_in(HOUSING, "practitioner", number) for number in (0, 2)]
    me = people[0].get("/me")
    guests = [
        Guest(f"u:{(user := api.get('/me')['user']['id'])}", {"user_id": user}, str(api.token))
        for api in people
    ]
    client = on.cast.clients[0]
    system = Api(on.url).sign_in_client(client["id"], client["client_secret"])
    guests.append(Guest(f"c:{client['id']}", {"client_id": client["id"]}, str(system.token)))
    protocol = next(one for one in owner.all("/protocols") if one["state"] == "active")
    made = []
    for _ in range(cases):
        tale = story.fresh()
        made.append(story.open_case(owner, team, tale, story.subjects(owner, team, tale)))
    return Scene(
        owner,
        me["agency"]["id"],
        protocol["id"],
        guests,
        made,
        {case["id"]: case["reference"] for case in made},
    )


_turns = itertools.count()


def share_body(scene: Scene, members: list[dict[str, str]], *, level: str) -> Any:
    """A share of this agency, told apart by its note."""
    return {
        **story.share_body(scene.agency_id, scene.protocol_id, members),
        "level": level,
        "note": f"turn {next(_turns)}",
    }
