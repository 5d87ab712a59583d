"""`concordat up --demo`: what is different, and what it says that one can do now."""

from __future__ import annotations

import json
from pathlib import Path

from deploy import bootstrap
from deploy.demo import bulk, cases
from deploy.demo.api import Api, Refusal
from deploy.demo.partnership import OPERATOR, PEOPLE
from deploy.demo.seed import Say, Seeded, password, seed
from deploy.launcher import credentials, ports
from deploy.launcher.cell import Cell
from deploy.launcher.given import Given
from deploy.launcher.plan import GATEWAY
from deploy.launcher.services import EVERYONE, Environment
from deploy.launcher.trouble import Trouble

PORT = 8800
"""Of the gateway, where it is free: the same address every time."""

ENVIRONMENT: Environment = {EVERYONE: {"CONCORDAT_DEMO": "1"}}
"""No authenticator is asked for, and webhooks may go to this machine: on loopback alone."""

FILE = "demo.json"
_SECRET = "demo"  # noqa: S105 - the name of its file

_TEXT = """
{url} runs with an invented partnership. Every log-in has the password

  {password}

  {people}

The same, for programs: {file}. Walk the main job over HTTP: make journey.
Every process: make status. Stop: make down.
"""


def check(given: Given) -> None:
    """Raises Trouble when broker or database are not the demonstration's own."""
    if given.rabbitmq_url or given.mongo_url:
        raise Trouble("--demo uses a broker and a database of its own. Unset RABBITMQ_URL and MONGO_URL.")


def port() -> dict[str, int]:
    """The wish for a gateway's port, if it can be had."""
    return {GATEWAY: PORT} if ports.is_free(PORT) else {}


def fill(cell: Cell, size: int, say: Say) -> str:
    """Seed what is not there yet; return what one can do now. Raises Trouble."""
    url = str(cell.url)
    file = cell.places.root / FILE
    secret = _password(cell)
    if not _filled(file, url, secret):
        made = _seeded(cell, url, secret, say)
        _write(file, made)
    if size:
        bulk.fill(url, json.loads(file.read_text(encoding="utf-8")), size, say)
    return text(url, secret, file)


def text(url: str, secret: str, file: Path) -> str:
    """One log-in for each role, then the others."""
    shown: dict[str, str] = {}
    for person in (*PEOPLE, OPERATOR):
        for role in person.roles:
            shown.setdefault(role, f"{person.username:12} {person.name}, {person.job_title}, {person.body}")
    lines = (f"{role.replace('_', ' '):18} {line}" for role, line in shown.items())
    return _TEXT.format(url=url, password=secret, people="\n  ".join(lines), file=file)


def _password(cell: Cell) -> str:
    """Made once a cell, kept with its other secrets."""
    place = cell.places.secrets / _SECRET
    if not place.exists():
        credentials.write(place, password())
    return place.read_text(encoding="utf-8").strip()


def _filled(file: Path, url: str, secret: str) -> bool:
    """An earlier run came to its end, and its database is still this one."""
    if not file.exists():
        return False
    found = json.loads(file.read_text(encoding="utf-8"))
    try:
        Api(url).sign_in(OPERATOR.username, secret).close()
    except Refusal:
        return False
    if found["base_url"] != url.rstrip("/"):
        found["base_url"] = url.rstrip("/")
        credentials.write(file, json.dumps(found, indent=1))
    return True


def _seeded(cell: Cell, url: str, secret: str, say: Say) -> Seeded:
    options = ["--username", OPERATOR.username, "--name", OPERATOR.name, "--email", OPERATOR.email]
    first = bootstrap.run(cell.environment_of("sharing"), options)
    try:
        made = seed(url, first.get("activation_token"), secret, say)
        say("cases")
        cases.fill(made)
    except Refusal as refusal:
        raise Trouble(
            f"The demonstration could not be filled: {refusal}. "
            "`make down clean` and then `make demo` starts afresh."
        ) from None
    return made


def _write(file: Path, made: Seeded) -> None:
    names = {body: made.names[body] for body in made.agencies}
    users = [
        {
            "username": person.username,
            "password": made.passwords[person.username],
            "user_id": made.users[person.username],
            "agency_id": made.agencies[person.body],
            "agency": names[person.body],
            "roles": list(person.roles),
        }
        for person in (*PEOPLE, OPERATOR)
    ]
    document = {
        "base_url": made.url.rstrip("/"),
        "users": users,
        "clients": made.clients,
        "cases": made.cases,
    }
    credentials.write(file, json.dumps(document, indent=1))
