"""Cases of several agencies in the demonstration, given and taken at random over the API; and the same as a
plain world, for the second evaluator."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from deploy.demo import story
from deploy.demo.api import Api, Refusal
from tests.checks.access.naive import ALL_SECTIONS, World
from tests.checks.ground import Ground
from tests.journey.steps import POLICE, POLICING_BODY

CASEWORK = frozenset({"practitioner", "supervisor", "light_participant"})
LEVELS = ("know", "task", "read", "read", "contribute", "manage")
LONG_AGO, FAR_OFF = datetime(2020, 1, 1, tzinfo=UTC), date(2099, 1, 1)


@dataclass
class Scene:
    """`world` is what should be the case: it is changed with each act, after the act was answered."""

    on: Ground
    dice: Random
    world: World
    apis: dict[str, Api]
    teams: dict[str, list[str]]
    protocol_id: str
    officer: Api
    lock: threading.Lock = field(default_factory=threading.Lock)

    def players(self) -> list[str]:
        return list(self.apis)

    # acts

    def act(self) -> None:
        """One change of who may see what, by whoever may make it."""
        case = self.dice.choice(self.world["cases"])
        acts = [self.share, self.share, self.change, self.revoke, self.team, self.conflict]
        self.dice.choice(acts)(case)

    def share(self, case: World) -> None:
        agency = self.dice.choice(self.world["protocols"][self.protocol_id]["parties"])
        if agency == case["owner_agency"] or len(case["shares"]) > 6:
            return
        there = [one for one, user in self.world["users"].items() if user["agency"] == agency]
        # Nobody under conflict can be named: that is refused, and tried elsewhere.
        users = [one for one in there if self.dice.random() < 0.6 and one not in case["conflicts"]]
        teams = [one for one in self.teams.get(agency, ()) if self.dice.random() < 0.4]
        if not users and not teams:
            return
        side = self.dice.choice((None, None, "victim", "perpetrator"))
        sections = self._sections(side)
        level = self.dice.choice(LEVELS)
        members = [*({"user_id": one} for one in users), *({"team_id": one} for one in teams)]
        body = story.share_body(agency, self.protocol_id, members, level=level, sections=sections, side=side)
        if side is None:
            del body["side"]
        try:
            made = self.apis[case["owner"]].post(f"/cases/{case['id']}/shares", body)
        except Refusal as refusal:
            if refusal.code not in ("gateway_not_for_recipient", "agency_not_active"):
                raise
            return
        case["shares"].append(
            {
                "id": made["id"],
                "kind": "share",
                "agency": agency,
                "users": users,
                "teams": teams,
                "clients": [],
                "level": level,
                "sections": sections,
                "side": side,
                "protocol": self.protocol_id,
                "expires_at": datetime.fromisoformat(body["expires_at"]),
            }
        )

    def _sections(self, side: str | None) -> list[str]:
        barred = ("victim", "safe_contact") if side == "perpetrator" else ()
        return [one for one in ALL_SECTIONS if one not in barred and self.dice.random() < 0.6] or ["summary"]

    def _given(self, case: World) -> World | None:
        found = [one for one in case["shares"] if one["kind"] == "share"]
        return self.dice.choice(found) if found else None

    def change(self, case: World) -> None:
        share = self._given(case)
        if share is None:
            return
        change = {"level": self.dice.choice(LEVELS), "sections": self._sections(share["side"])}
        self.apis[case["owner"]].patch(f"/cases/{case['id']}/shares/{share['id']}", change)
        share.update(change)

    def revoke(self, case: World) -> None:
        share = self._given(case)
        if share is not None and len(case["shares"]) > 3:
            self.apis[case["owner"]].delete(f"/cases/{case['id']}/shares/{share['id']}?reason=other")
            case["shares"].remove(share)

    def team(self, case: World) -> None:
        """Somebody of an agency with a share comes into one of its teams, or leaves it."""
        who = self.dice.choice(list(self.world["users"]))
        user = self.world["users"][who]
        teams = self.teams.get(user["agency"])
        if not teams:
            return
        team = self.dice.choice(teams)
        now = [one for one in user["teams"] if one != team]
        after = now if team in user["teams"] else [*now, team]
        administrator = self._administrator(user["agency"])
        if administrator is not None:
            administrator.patch(f"/users/{who}", {"team_ids": after})
            user["teams"] = after

    def _administrator(self, agency_id: str) -> Api | None:
        for one in self.on.cast.users:
            if one["agency_id"] == agency_id and "agency_admin" in one["roles"]:
                return self.on.cast.sign_in(one)
        return None

    def conflict(self, case: World) -> None:
        who = self.dice.choice(list(self.world["users"]))
        if who == case["owner"] or who in case["conflicts"] or len(case["conflicts"]) > 2:
            return
        body = {"user_id": who, "kind": "neighbour", "reason": "Lives next door"}
        self.apis[case["owner"]].post(f"/cases/{case['id']}/conflicts", body)
        case["conflicts"].append(who)


def build(on: Ground, cases: int, seed: int) -> Scene:
    cast = [one for one in on.cast.users if CASEWORK & set(one["roles"])]
    apis: dict[str, Api] = {}
    users: dict[str, World] = {}
    for one in cast:
        try:
            api = on.cast.sign_in(one)
        except Refusal:
            continue  # of an agency that is not active: nobody of it gets as far as a question
        me = api.get("/me")
        apis[one["user_id"]] = api
        users[one["user_id"]] = {
            "agency": me["agency"]["id"],
            "teams": [team["id"] for team in me["teams"]],
            "roles": [{"role": role, "starts_on": None, "ends_on": None} for role in me["roles"]],
            "state": "active",
            "signed": 1,
            "trainings": [],
        }
    any_one = next(iter(apis.values()))
    protocol = next(one for one in any_one.all("/protocols") if one["state"] == "active")
    officer = on.sign_in(POLICING_BODY, "partnership_dpo")
    world: World = {
        "agencies": {
            one["id"]: {"type": one["type"], "state": one["state"]} for one in any_one.all("/agencies")
        },
        "protocols": {
            protocol["id"]: {
                "state": "active",
                "parties": protocol["parties"],
                "starts_on": date.fromisoformat(protocol["starts_on"]),
                "ends_on": date.fromisoformat(protocol["ends_on"]),
            }
        },
        "procedures": [{"version": 1, "effective_from": LONG_AGO, "sign_by": LONG_AGO}],
        "needs_training": [],
        "away": {},
        "users": users,
        "clients": {},
        "cases": [],
        "now": datetime.now(UTC),
    }
    teams: dict[str, list[str]] = {}
    for user in users.values():
        found = teams.setdefault(user["agency"], [])
        found += [team for team in user["teams"] if team not in found]
    scene = Scene(on, Random(seed), world, apis, teams, protocol["id"], officer)
    owners = [one for one in users if {"practitioner"} & {role["role"] for role in users[one]["roles"]}]
    police = on.cast.user(POLICE, "practitioner")["user_id"]
    for number in range(cases):
        _case(scene, police if number == 0 else scene.dice.choice(owners))
    return scene


def _case(scene: Scene, owner: str) -> None:
    api, user = scene.apis[owner], scene.world["users"][owner]
    team = user["teams"][0] if user["teams"] and scene.dice.random() < 0.7 else None
    tale = story.fresh()
    about = story.subjects(api, user["teams"][0], tale)
    made = story.open_case(api, team, tale, about)
    entries = {one["id"]: list[str]() for one in api.all(f"/cases/{made['id']}/entries")}
    others = [one for one in scene.world["agencies"] if one != user["agency"]]
    at = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0).isoformat()
    for _ in range(4):
        withheld = [one for one in others if scene.dice.random() < 0.4]
        body = {"type": "note", "occurred_at": at, "text": "Seen by the patrol", "withhold_from": withheld}
        entries[api.post(f"/cases/{made['id']}/entries", body)["id"]] = withheld
    shares = []
    if team is not None:
        own = next(one for one in api.all(f"/cases/{made['id']}/shares") if one["kind"] == "team")
        shares.append(
            {
                "id": own["id"],
                "kind": "team",
                "agency": user["agency"],
                "users": [],
                "teams": [team],
                "clients": [],
                "level": "contribute",
                "sections": ALL_SECTIONS,
                "side": None,
                "protocol": None,
                "expires_at": None,
            }
        )
    case: dict[str, Any] = {
        "id": made["id"],
        "reference": made["reference"],
        "use": "complex_asb",
        "marking": "official_sensitive",
        "owner": owner,
        "owner_agency": user["agency"],
        "conflicts": [],
        "entries": list(entries.values()),
        "entry_ids": entries,
        "shares": shares,
    }
    scene.world["cases"].append(case)
