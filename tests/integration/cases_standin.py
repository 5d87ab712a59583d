"""What `sharing` asks of `cases`, answered from a collection: for the tests of grants alone.

lists  {_id: case, term, epoch, body: an AccessList as JSON}
"""

from __future__ import annotations

from typing import Any

from services.chassis.mongo import Mongo
from services.chassis.rpc import command, rpc
from services.contracts.authority import (
    AppliedLists,
    ApplyAccessLists,
    CasesKnown,
    GetCasesKnown,
    StoredVersion,
)
from services.contracts.cases.about import AboutCase, AboutCases, GetAbout
from services.contracts.restores import AuthorityMark, WitnessAuthority


class CasesStandIn:
    """Keeps the lists that it is given, and knows the cases that it has one of."""

    name = "cases"

    database: Any = Mongo()

    @command(callers=("sharing",))
    def apply_acl(self, request: ApplyAccessLists) -> AppliedLists:
        for one in request.lists:
            row = {"term": one.term, "epoch": one.epoch, "body": one.model_dump_json()}
            self.database["lists"].replace_one({"_id": one.case_id}, row, upsert=True)
        return AppliedLists(
            items=tuple(
                StoredVersion(case_id=one.case_id, term=one.term, epoch=one.epoch) for one in request.lists
            )
        )

    @command(callers=("sharing",))
    def witness_authority(self, request: WitnessAuthority) -> AuthorityMark:
        """Nothing later was ever heard."""
        return request.mark

    @rpc(callers=("sharing",))
    def about_cases(self, request: GetAbout) -> AboutCases:
        rows = self.database["lists"].find({"_id": {"$in": list(request.case_ids)}}, {"_id": True})
        return AboutCases(
            items=tuple(AboutCase(case_id=row["_id"], use="complex_asb", marking="official") for row in rows)
        )

    @rpc(callers=("sharing",))
    def cases_known(self, request: GetCasesKnown) -> CasesKnown:
        rows = self.database["lists"].find({"_id": {"$in": list(request.case_ids)}}, {"_id": True})
        return CasesKnown(case_ids=tuple(row["_id"] for row in rows))
