"""Fills an empty system with the demonstration partnership, through its own API, as its own people would.

The operator makes the agencies and their first administrators; those invite their people; everybody activates
an account, signs the procedure, and works. Safe to repeat: every request has a key that says what it makes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from deploy.demo import partnership
from deploy.demo.api import Api, Refusal, key_of
from deploy.demo.partnership import BODIES, OPERATOR, PEOPLE, TEAMS, Person

_WORDS = "amber birch cedar delta ember fjord grove heron islet juniper kestrel linen maple nectar otter pine"
_HANDS = 2
"""People activated at once: each costs two argon2 hashes."""

Say = Callable[[str], None]


@dataclass
class Seeded:
    """What there is now, by the short names of `partnership`."""

    url: str
    agencies: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    teams: dict[tuple[str, str], str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    clients: list[dict[str, str]] = field(default_factory=list)
    cases: list[dict[str, str]] = field(default_factory=list)
    protocol_id: str = ""

    def sign_in(self, username: str) -> Api:
        return Api(self.url).sign_in(username, self.passwords[username])


def seed(url: str, operator_token: str | None, password: str, say: Say) -> Seeded:
    """Make everything but the cases. `operator_token` activates the first administrator; None: that was
    done."""
    made = Seeded(url)
    if operator_token is not None:
        activate(url, operator_token, password)
    made.passwords[OPERATOR.username] = password
    operator = made.sign_in(OPERATOR.username)
    me = operator.get("/me")
    made.users[OPERATOR.username] = me["user"]["id"]
    made.agencies["operator"], made.names["operator"] = me["agency"]["id"], me["agency"]["name"]
    say("agencies and protocols")
    _agencies(operator, made)
    _protocols(operator, made)
    say("first administrators, and the security procedure")
    _appointed(operator, made, password)
    _procedure(made)
    for username in (OPERATOR.username, *(one.username for one in _first() if _may_log_in(one))):
        sign_procedure(made.sign_in(username))
    say("teams and people")
    _teams(made)
    _people(made, password)
    say("an agency's own system")
    _client(made)
    return made


def password() -> str:
    """For the demonstration's log-ins: random for each cell, easy to type."""
    words = _WORDS.split()
    chosen = [secrets.choice(words) for _ in range(3)]
    return "-".join([*chosen, str(secrets.randbelow(9000) + 1000)])


def activate(url: str, token: str, password: str) -> None:
    """Use an activation token. One that was used before is no trouble here: the log-in then tells."""
    api = Api(url)
    try:
        api.post("/activations", {"token": token, "password": password}, key=key_of("activate", token))
    finally:
        api.close()


def sign_procedure(api: Api) -> None:
    """Sign the current procedure, unless that was done."""
    current = api.get("/procedures/current")
    if (current.get("my_signature") or {}).get("version") == current["version"]:
        return
    body = {"version": current["version"], "sha256": current["sha256"]}
    api.post("/procedures/current/signatures", body, key=key_of("sign", api.token, current["version"]))


def _agencies(operator: Api, made: Seeded) -> None:
    for body in BODIES:
        agency = operator.post(
            "/agencies",
            {"name": body.name, "type": body.type, "area": body.area},
            key=key_of("agency", body.key),
        )
        made.agencies[body.key], made.names[body.key] = agency["id"], body.name


def _protocols(operator: Api, made: Seeded) -> None:
    """One that is in force, one that is signed and begins later, one that has ended."""
    today = datetime.now(UTC).date()
    year = timedelta(days=365)

    def made_with(keys: Iterable[str], title: str, starts: date, ends: date) -> str:
        parties = [made.agencies[key] for key in keys]
        return _protocol(operator, partnership.protocol(title, parties, starts, ends))

    in_force = [body.key for body in BODIES if body.standing == "active"]
    made.protocol_id = made_with(in_force, "Cleveland partnership protocol", today - year, today + year)
    ended = made_with(
        ["northstar", "opcc"], "North Star protocol", today - 2 * year, today - timedelta(days=1)
    )
    made_with(["accent", "opcc"], "Accent accession protocol", today, today + 2 * year)
    for protocol_id in (made.protocol_id, ended):
        _move(
            operator, f"/protocols/{protocol_id}/transitions", {"to": "active", "reason": "comes into force"}
        )
    for body in BODIES:
        steps = ["protocol_drafted", "signed", *([] if body.standing == "signed" else ["active"])]
        for to in steps:
            path = f"/agencies/{made.agencies[body.key]}/transitions"
            _move(operator, path, {"to": to, "reason": "accession"})


def _protocol(operator: Api, body: dict[str, Any]) -> str:
    """A signed one."""
    made = operator.post("/protocols", body, key=key_of("protocol", body))
    signatory = {"name": "Signing Officer", "agency_id": body["parties"][0]}
    _move(
        operator,
        f"/protocols/{made['id']}/transitions",
        {"to": "signed", "reason": "signed by all parties", "signatory": signatory},
    )
    return str(made["id"])


def _move(api: Api, path: str, body: dict[str, Any]) -> None:
    api.post(path, body, key=key_of(path, body))


def _first() -> list[Person]:
    """Whom the operator appoints: administrators, and those of the policing body."""
    return [one for one in PEOPLE if "agency_admin" in one.roles or one.body == "opcc"]


def _appointed(operator: Api, made: Seeded, password: str) -> None:
    for person in _first():
        _invite(operator, made, person, password)


def _invite(by: Api, made: Seeded, person: Person, password: str) -> None:
    """Invite and activate. After a seeding that was broken off, the account may be there already."""
    team = made.teams.get((person.body, person.team)) if person.team else None
    body = {
        "username": person.username,
        "name": person.name,
        "email": person.email,
        "agency_id": made.agencies[person.body],
        "job_title": person.job_title,
        "team_ids": [team] if team else [],
        "roles": [{"role": role} for role in person.roles],
    }
    invited = by.post("/users", body, key=key_of("user", body))
    made.users[person.username] = invited["id"]
    made.passwords[person.username] = password
    token = invited.get("activation_token")
    if token is None:
        token = by.post(f"/users/{invited['id']}/resets", {}).get("activation_token")
    activate(made.url, token, password)


def _procedure(made: Seeded) -> None:
    manager = made.sign_in("y.north")
    today = datetime.now(UTC)
    body = {
        **partnership.PROCEDURE,
        "effective_from": (today - timedelta(minutes=1)).isoformat(),
        "sign_by": (today + timedelta(days=30)).isoformat(),
    }
    try:
        manager.get("/procedures/current")
    except Refusal:
        manager.post("/procedures", body, key=key_of("procedure", 1))


def _teams(made: Seeded) -> None:
    """By each agency's administrator: who has no active protocol cannot log in, and makes none."""
    standing = {body.key: body.standing for body in BODIES}
    for body_key, names in TEAMS.items():
        if standing[body_key] != "active":
            continue
        administrator = _administrator(made, body_key)
        for name in names:
            body = {"agency_id": made.agencies[body_key], "name": name}
            team = administrator.post("/teams", body, key=key_of("team", body_key, name))
            made.teams[body_key, name] = team["id"]


def _administrator(made: Seeded, body_key: str) -> Api:
    """The agency's own where it may log in, else the operator, who appoints first administrators anywhere."""
    person = next(one for one in PEOPLE if one.body == body_key and "agency_admin" in one.roles)
    return made.sign_in(person.username if _may_log_in(person) else OPERATOR.username)


def _people(made: Seeded, password: str) -> None:
    rest = [one for one in PEOPLE if one.username not in made.users]
    administrators = {key: _administrator(made, key) for key in {one.body for one in rest}}

    def one(person: Person) -> None:
        _invite(administrators[person.body], made, person, password)
        if _may_log_in(person):
            sign_procedure(made.sign_in(person.username))

    with ThreadPoolExecutor(_HANDS) as hands:
        list(hands.map(one, rest))


def _may_log_in(person: Person) -> bool:
    return next(body for body in BODIES if body.key == person.body).standing == "active"


def _client(made: Seeded) -> None:
    """Thirteen's housing system, for which one of its officers answers."""
    body = {
        "agency_id": made.agencies["thirteen"],
        "name": "Thirteen housing system",
        "accountable_user_id": made.users["j.foley"],
        "scopes": ["cases:read", "subscriptions"],
        "expires_at": (datetime.now(UTC) + timedelta(days=300)).replace(microsecond=0).isoformat(),
    }
    administrator = made.sign_in("e.vance")
    known = [one for one in administrator.all("/clients") if one["name"] == body["name"]]
    if known:
        found = administrator.post(f"/clients/{known[0]['id']}/secrets", {})
        made.clients.append({"id": known[0]["id"], "client_secret": found["client_secret"]})
        return
    found = administrator.post("/clients", body)
    made.clients.append({"id": found["client_id"], "client_secret": found["client_secret"]})
