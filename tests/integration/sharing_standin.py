"""What `notify` asks of `sharing`, answered from two collections that a test fills: for its tests alone.

lists       {_id: case, body: an AccessList as JSON}
principals  {_id, kind, agency_id, team_ids, active}
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.chassis.mongo import Mongo
from services.chassis.rpc import ANYONE, rpc
from services.contracts.access import AccessList
from services.contracts.authority import (
    AccessLists,
    GetAccessLists,
    GetPrincipals,
    MayKnow,
    MayKnowAnswers,
    Principal,
    Principals,
    Question,
)
from services.contracts.paging import Ref


class SharingStandIn:
    """Knows lists and principals, and a rule that is enough for tests."""

    name = "sharing"

    database: Any = Mongo()

    @rpc(callers=ANYONE)
    def access_lists(self, request: GetAccessLists) -> AccessLists:
        rows = self.database["lists"].find({"_id": {"$in": list(request.case_ids)}})
        return AccessLists(items=tuple(AccessList.model_validate_json(row["body"]) for row in rows))

    @rpc(callers=ANYONE)
    def principals(self, request: GetPrincipals) -> Principals:
        rows = self.database["principals"].find({"_id": {"$in": list(request.ids)}})
        return Principals(items=tuple(_principal(row) for row in rows), now=datetime.now(UTC))

    @rpc(callers=ANYONE)
    def may_know(self, request: MayKnow) -> MayKnowAnswers:
        return MayKnowAnswers(answers=tuple(self._may(question) for question in request.questions))

    def _may(self, question: Question) -> bool:
        who = self.database["principals"].find_one({"_id": question.principal_id})
        row = self.database["lists"].find_one({"_id": question.case_id})
        if who is None or row is None or not who["active"] or who["agency_id"] in question.withheld_from:
            return False
        keys = {f"{who['kind'][0]}:{who['_id']}", *(f"t:{team}" for team in who["team_ids"])}
        return not keys.isdisjoint(AccessList.model_validate_json(row["body"]).readers())


def _principal(row: dict[str, Any]) -> Principal:
    return Principal(
        kind=row["kind"],
        id=row["_id"],
        name="N",
        agency=Ref(id=row["agency_id"], name="A"),
        team_ids=tuple(row["team_ids"]),
        active=row["active"],
    )
