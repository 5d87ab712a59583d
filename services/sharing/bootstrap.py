"""The operator agency and its first administrator, on a database where there is nobody yet.

    python -m services.sharing.bootstrap --username NAME --name "FULL NAME" --email ADDRESS [--agency NAME]

Run with sharing's own environment (MONGO_URL or MONGO_URL_FILE). Prints one line of JSON: {agency_id,
user_id, username, state, activation_token, activation_expires_at}. The token is there while the account
waits for its activation; each run makes another and the former ends. Safe to repeat: once the account is
active it says so, and changes nothing. It writes no entry of the log, for it needs no broker; the account's
history has it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.chassis.deadline import Deadline
from services.chassis.migrations import migrate
from services.chassis.mongo import Client, Session, connect, transact
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError
from services.contracts.sharing.people import InvitationBody
from services.sharing.domain import tokens
from services.sharing.domain.agencies import Agency
from services.sharing.domain.people import Appointment, User
from services.sharing.settings import SharingSettings
from services.sharing.stores.agencies import AgencyStore
from services.sharing.stores.people import UserStore
from services.sharing.stores.standing import StandingStore
from services.sharing.stores.steps import STEPS

PATIENCE = 30.0
BY = "bootstrap"
"""Who did it, in the account's history."""


def bootstrap(
    client: Client, database: str, person: InvitationBody, agency: str, lasts: timedelta
) -> dict[str, Any]:
    """Make what is missing, in one transaction; `person.agency_id` is ignored. Returns what is printed."""
    migrate(client[database], STEPS, holder=f"{BY}-{os.getpid()}")
    now = datetime.now(UTC).replace(microsecond=0)
    agencies, users = AgencyStore(client[database]), UserStore(client[database])
    standing = StandingStore(client[database])

    def body(session: Session) -> dict[str, Any]:
        home = next(iter(agencies.of_type("operator", session)), None)
        if home is None:
            home = Agency(new_event_id(), agency, "operator", None, "active", 1, now, now)
            agencies.add(home, session)
            standing.put_agency(home, session)
        user = users.by_username(person.username, session)
        if user is not None and user.state != "invited":
            return _told(user, None, None)
        token = tokens.make("a", user.id if user else new_event_id())
        activation = {"hash": token.hash, "expires_at": now + lasts}
        if user is None:
            user = _first(token.principal_id, person, home.id, now)
            users.add(user, activation, session)
        else:
            users.invite_again(user, activation, BY, now=now, session=session)
        return _told(user, token.text, now + lasts)

    return transact(client, Deadline.after(PATIENCE), body)


def _first(user_id: str, person: InvitationBody, agency_id: str, now: datetime) -> User:
    return User(
        id=user_id,
        username=person.username,
        name=person.name,
        email=person.email,
        agency_id=agency_id,
        job_title=person.job_title,
        team_ids=(),
        roles=(Appointment("system_operator"),),
        state="invited",
        signature=None,
        has_password=False,
        has_totp=False,
        must_change=False,
        version=1,
        created_at=now,
        updated_at=now,
    )


def _told(user: User, token: str | None, until: datetime | None) -> dict[str, Any]:
    return {
        "agency_id": user.agency_id,
        "user_id": user.id,
        "username": user.username,
        "state": user.state,
        "activation_token": token,
        "activation_expires_at": until and until.isoformat().replace("+00:00", "Z"),
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.sharing.bootstrap", description=__doc__)
    parser.add_argument("--username", required=True)
    parser.add_argument("--name", required=True, help="the person's name")
    parser.add_argument("--email", required=True)
    parser.add_argument(
        "--agency", default="Operator", help="name of the operator agency, if it is not there"
    )
    given = parser.parse_args(arguments)
    # The broker is not used, so its address need not be given.
    if not os.environ.get("RABBITMQ_URL_FILE"):
        os.environ.setdefault("RABBITMQ_URL", "amqp://unused")
    settings = SharingSettings(service="sharing")
    if settings.mongo_url is None:
        parser.error("set MONGO_URL or MONGO_URL_FILE")
    person = InvitationBody(username=given.username, name=given.name, email=given.email, agency_id="0")
    with connect(settings.mongo_url.get_secret_value(), app=BY) as client:
        try:
            told = bootstrap(client, settings.mongo_database, person, given.agency, settings.activation_lasts)
        except ConcordatError as problem:
            sys.stderr.write(f"{problem.code}: {problem.title}\n")
            return 1
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
