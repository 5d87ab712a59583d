"""The cases, their owner, and those who are let in and shut out again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deploy.demo import story
from deploy.demo.api import Api
from tests.checks.ground import Ground
from tests.checks.revocation.residence import Residence, move_in
from tests.checks.revocation.seats import Guest, Seat, person, system
from tests.journey.listening import Receiver
from tests.journey.steps import HOUSING, POLICE, POLICING_BODY

COUNCIL = "Stockton-on-Tees Borough Council"


@dataclass
class Scene:
    """Who takes part, and in what. `references` are the cases' by id. `guests` are named in shares; `member`
    comes and goes through the team `team_id`, which every case is shared with; who lives at `residence` keeps
    its shares. `breaker` is named in none, and breaks the glass of the case `contested`, which is another one
    again and again. `manager` publishes the procedure."""

    on: Ground
    owner: Api
    owner_team: str
    agency_id: str
    protocol_id: str
    guests: list[Guest]
    cases: list[dict[str, Any]]
    references: dict[str, str]
    administrator: Api
    member: Guest
    member_teams: list[str]
    team_id: str
    residence: Residence
    breaker: Guest
    manager: Api
    receiver: Receiver
    contested: dict[str, Any] | None = None
    made: dict[str, float] = field(default_factory=dict)
    """When entries were asked for, by id."""

    @property
    def people(self) -> list[Seat]:
        """Everybody who reads but the systems."""
        named = [guest for guest in (*self.guests, self.member, self.breaker) if guest.key.startswith("u:")]
        return [*(Seat(guest) for guest in named), self.residence.seat]

    def present(self, key: str) -> list[str]:
        """The cases that somebody may be let into, or shut out of, now."""
        contested = self.contested
        found = [str(case["id"]) for case in self.cases]
        if contested is not None and key in (*self.residence.keys, self.breaker.key):
            found.append(contested["id"])
        return found

    def contest(self, case: dict[str, Any]) -> None:
        # Others go through the references meanwhile: they are replaced, not changed.
        self.references = {**self.references, case["id"]: case["reference"]}
        self.contested = case

    def guests_anew(self) -> list[Guest]:
        """With other sessions."""
        self.guests = _guests(self.on)
        return self.guests

    def subscribe(self, guest: Guest) -> None:
        """The webhooks of a system. Raises Refusal."""
        client_id = guest.member["client_id"]
        url = f"{self.receiver.url}/{client_id}"
        body = {"client_id": client_id, "transport": "webhook", "url": url, "types": ["*"]}
        Api(self.on.url, guest.token).post("/subscriptions", body)

    def name_machine(self) -> None:
        """The residence's system of now, where the one before it was named. Raises Refusal."""
        for case in self.cases:
            path = f"/cases/{case['id']}/shares/{case['share of the machine']}"
            self.owner.patch(path, {"members": [self.residence.machine.guest.member]})

    def to_residents(self, members: list[dict[str, str]]) -> Any:
        """A share under their own protocol."""
        residence = self.residence
        return {
            **story.share_body(residence.agency_id, residence.protocol_id, members),
            "note": f"turn {next(_turns)}",
        }


def set_up(on: Ground, cases: int) -> Scene:
    """Cases of a police officer's; two people and a system of the landlord's are the guests, a third person
    the member."""
    owner = on.sign_in(POLICE, "practitioner")
    mine = owner.get("/me")
    member = on.sign_in(HOUSING, "practitioner", 1)
    me = member.get("/me")
    administrator, agency_id = on.sign_in(HOUSING, "agency_admin"), me["agency"]["id"]
    joined = administrator.post("/teams", {"agency_id": agency_id, "name": "Comes and goes"})
    breaker = on.sign_in(COUNCIL, "practitioner")
    protocol_id = next(one["id"] for one in owner.all("/protocols") if one["state"] == "active")
    scene = Scene(
        on,
        owner,
        mine["teams"][0]["id"],
        agency_id,
        protocol_id,
        _guests(on),
        [],
        {},
        administrator,
        person(member, me),
        [one["id"] for one in me["teams"]],
        joined["id"],
        move_in(on, mine["agency"]["id"]),
        person(breaker, breaker.get("/me")),
        on.sign_in(POLICING_BODY, "security_manager"),
        Receiver(),
    )
    for case in _opened(scene, cases):
        owner.post(
            f"/cases/{case['id']}/shares", share_body(scene, [{"team_id": joined["id"]}], level="contribute")
        )
        for seat in (scene.residence.seat, scene.residence.machine):
            share = owner.post(f"/cases/{case['id']}/shares", scene.to_residents([seat.guest.member]))
        case["share of the machine"] = share["id"]
    return scene


def _guests(on: Ground) -> list[Guest]:
    """Logged in. The first answers for the system."""
    people = [on.sign_in(HOUSING, "practitioner", number) for number in (0, 2)]
    client = on.cast.clients[0]
    machine = system(on.url, client["id"], client["client_secret"])
    return [*(person(api, api.get("/me")) for api in people), machine]


def _opened(scene: Scene, cases: int) -> Iterator[dict[str, Any]]:
    for _ in range(cases):
        tale, team = story.fresh(), scene.owner_team
        case = story.open_case(scene.owner, team, tale, story.subjects(scene.owner, team, tale))
        scene.cases.append(case)
        scene.references[case["id"]] = case["reference"]
        yield case


_turns = itertools.count()


def share_body(scene: Scene, members: list[dict[str, str]], *, level: str) -> Any:
    """A share of this agency, told apart by its note."""
    return {
        **story.share_body(scene.agency_id, scene.protocol_id, members),
        "level": level,
        "note": f"turn {next(_turns)}",
    }
