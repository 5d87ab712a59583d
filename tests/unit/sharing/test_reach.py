"""Whose teams and clients somebody may change: they lead to cases, so those of the own agency alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.caller import Caller
from services.contracts.errors import NotVisible
from services.contracts.sharing.clients import GetClient, RotateSecret
from services.contracts.sharing.teams import PatchTeam, TeamChanges
from services.sharing.domain.teams import Team
from services.sharing.handlers.clients import Clients
from services.sharing.handlers.teams import Teams
from tests.unit.sharing.people import NOW, OPERATOR, POLICE, client


class Runs:
    """In the place of the command log: runs the body and keeps nothing."""

    def run(self, request: Any, reply: Any, body: Any) -> Any:
        return body(None, None)


class Loads:
    def __init__(self, found: Any) -> None:
        self._found = found

    def load(self, _id: str, _session: object = None) -> Any:
        return self._found


class Desk(Clients, Teams):
    def __init__(self) -> None:
        self.clients = Loads(client())  # type: ignore[assignment]
        self.teams = Loads(Team("team-1", POLICE, "Stockton", 1, NOW, NOW))  # type: ignore[assignment]
        self.commands = Runs()  # type: ignore[assignment]


def caller(agency_id: str, *roles: str) -> Caller:
    return Caller(
        kind="user",
        id="o-1",
        agency_id=agency_id,
        roles=roles,
        device_class="personal",
        audience="sharing",
        method="rotate_secret",
        args_hash="0" * 64,
        request_id="r",
        now=datetime.now(UTC),
        expires_at=datetime.now(UTC),
    )


def test_an_operator_who_is_an_administrator_too_gets_no_other_agencys_client_or_team() -> None:
    both = caller(OPERATOR, "system_operator", "agency_admin")
    with pytest.raises(NotVisible):
        Desk().get_client(GetClient(client_id="client-1"), both)
    with pytest.raises(NotVisible):
        Desk().rotate_secret(RotateSecret(client_id="client-1"), both)
    changes = TeamChanges(user_ids=("user-2",))
    with pytest.raises(NotVisible):
        Desk().patch_team(PatchTeam(team_id="team-1", if_match="*", changes=changes), both)


def test_an_administrator_gets_the_own_agencys() -> None:
    view = Desk().get_client(GetClient(client_id="client-1"), caller(POLICE, "agency_admin"))
    assert view.id == "client-1"
