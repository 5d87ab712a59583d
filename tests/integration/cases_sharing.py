"""As much of `sharing` as `cases` asks for, over two collections that a test fills: for tests of lists that
change under a reader's feet, which the real one would not let a test write down.

lists       {_id: case, body: an AccessList as JSON}
principals  {_id, kind, name, agency_id, team_ids, active}
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.chassis.commands import CommandLog, Commands
from services.chassis.mongo import Mongo
from services.chassis.outbox import STEPS
from services.chassis.rpc import command, rpc
from services.chassis.stored import Stored
from services.contracts.access import AccessList, Owner, Share
from services.contracts.authority import (
    AccessLists,
    GetAccessLists,
    GetPrincipals,
    Principal,
    Principals,
    RegisterCase,
)
from services.contracts.errors import FieldError, Invalid
from services.contracts.paging import Ref

CONTRIBUTE: dict[str, Any] = {
    "level": "contribute",
    "sections": ("summary", "subjects", "victim", "timeline", "intelligence", "tasks", "risk", "documents"),
}


class CasesSharing:
    """Knows lists and principals."""

    name = "sharing"

    database: Any = Mongo()
    commands: CommandLog = Commands()
    steps: Any = Stored(lambda database: database, STEPS)

    @command(callers=("cases",), expected_exceptions=Invalid)
    def register_case(self, request: RegisterCase) -> AccessList:
        if request.owner_team_id == "not-mine":
            raise Invalid(errors=(FieldError("/owner_team_id", "not_your_team", "Not one of your teams."),))
        shares = []
        if request.owner_team_id is not None:
            team = (request.owner_team_id,)
            shares.append(
                Share(id="team", kind="team", agency_id=request.owner_agency_id, team_ids=team, **CONTRIBUTE)
            )
        if request.owner_client_id is not None:
            client = (request.owner_client_id,)
            shares.append(
                Share(id="client", agency_id=request.owner_agency_id, client_ids=client, **CONTRIBUTE)
            )
        team_ref = None if request.owner_team_id is None else Ref(id=request.owner_team_id, name="Team")
        acl = AccessList(
            case_id=request.case_id,
            term=1,
            epoch=1,
            owner=Owner(
                user=Ref(id=request.owner_user_id, name="Owner"),
                agency=Ref(id=request.owner_agency_id, name="Agency"),
                team=team_ref,
            ),
            shares=tuple(shares),
        )
        self.database["lists"].insert_one({"_id": request.case_id, "body": acl.model_dump_json()})
        return acl

    @rpc(callers=("cases",))
    def access_lists(self, request: GetAccessLists) -> AccessLists:
        rows = self.database["lists"].find({"_id": {"$in": list(request.case_ids)}})
        return AccessLists(items=tuple(AccessList.model_validate_json(row["body"]) for row in rows))

    @rpc(callers=("cases",))
    def principals(self, request: GetPrincipals) -> Principals:
        rows = self.database["principals"].find({"_id": {"$in": list(request.ids)}})
        return Principals(
            items=tuple(
                Principal(
                    kind=row["kind"],
                    id=row["_id"],
                    name=row["name"],
                    agency=Ref(id=row["agency_id"], name="Agency"),
                    team_ids=tuple(row["team_ids"]),
                    roles=tuple(row["roles"]),
                    active=row["active"],
                )
                for row in rows
            ),
            now=datetime.now(UTC),
        )
