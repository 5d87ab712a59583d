"""A partnership whose agencies say where and by whom cases may be opened, and all that is asked of one."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from services.contracts.cases.cases import CaseBody, CreateCase, GetCase
from services.contracts.errors import ConcordatError
from services.contracts.messages import Request
from services.contracts.sharing.agencies import AgencyChanges, GetAgency, PatchAgency, PlaceBody
from services.contracts.sharing.asking import (
    AccessAnswer,
    AccessRequestBody,
    AnswerAccessRequest,
    ListAccessRequests,
    RequestAccess,
)
from services.contracts.sharing.certifying import CertifyShare
from services.contracts.sharing.conflicts import (
    ConflictBody,
    DeclareConflict,
    ListConflicts,
    WithdrawConflict,
)
from services.contracts.sharing.explain import Explain, ExplainBody
from services.contracts.sharing.glass import BreakGlass, GlassBody, GlassReview, ListGlasses, ReviewGlass
from services.contracts.sharing.procedures import ClauseBody
from services.contracts.sharing.shares import (
    ChangeShare,
    CheckShare,
    GetShare,
    ListAccess,
    ListShares,
    RevokeShare,
    ShareBody,
    ShareCase,
    ShareChange,
)
from services.contracts.sharing.trainings import RecordTraining, TrainingBody
from services.contracts.sharing.transfers import (
    DecideTransfer,
    ListTransfers,
    OfferTransfer,
    TransferBody,
    TransferDecision,
)
from services.sharing.domain.london import day_of
from tests.integration.calling import Instance
from tests.integration.partnership import Person
from tests.integration.transferring import World

MANAGED = PlaceBody(marking="official_sensitive", device_classes=("managed",))


class Barring(World):
    """Agencies whose administrators say where their people may open cases."""

    CLAUSES = (
        ClauseBody(no=7, heading="Devices", text="Only ours.", covers=("device_not_permitted",)),
        ClauseBody(no=8, heading="Training", text="First.", covers=("training_required",)),
    )

    holder: Instance
    """The one `cases`."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.hugh = self.person(self.homes, "Hugh", role="agency_admin")

    def places(self, *rules: PlaceBody, by: Person | None = None) -> None:
        admin = by or self.admin
        etag = admin.ask("get_agency", GetAgency(agency_id=admin.agency_id))["etag"]
        patch = PatchAgency(agency_id=admin.agency_id, if_match=etag, changes=AgencyChanges(places=rules))
        admin.tell("patch_agency", patch)

    def case(
        self, marking: Any = "official_sensitive", use: Any = "complex_asb", by: Person | None = None
    ) -> str:
        body = CaseBody(
            template=use, title="Noise", priority="low", marking=marking, owner_team_id=None, subjects=()
        )
        who = by or self.owner
        return str(self.ask(who, "cases", "create_case", CreateCase(case=body), uuid.uuid4().hex)["id"])

    def get(self, who: Person, case_id: str) -> Any:
        return self.ask(who, "cases", "get_case", GetCase(case_id=case_id, access_reason="task"))

    def trained(self, who: Person, *, now: bool) -> None:
        today = day_of(datetime.now(UTC))
        until = today if now else today - timedelta(days=1)
        training = TrainingBody(use="vemt", completed_on=today - timedelta(days=9), expires_on=until)
        self.admin.tell("record_training", RecordTraining(user_id=who.id, training=training))

    def break_glass(self, who: Person, case_id: str) -> Any:
        body = GlassBody(reason="Somebody is in danger")
        return who.tell("break_glass", BreakGlass(case_id=case_id, access_reason="safeguarding", glass=body))


def asked(world: Barring, case_id: str, share: Any) -> dict[str, Request]:
    """Every method of `sharing` about a case, as its owner could ask it."""
    share_id, none = share["id"], str(uuid.uuid4())
    terms: dict[str, Any] = {name: share[name] for name in ("level", "sections", "purpose", "protocol_id")}
    body = ShareBody.model_validate(
        {
            **terms,
            "agency_id": world.homes.id,
            "members": [{"user_id": world.stranger.id}],
            "legal_gateway": "cda_s115",
            "consent": {"state": "given"},
            "expires_at": datetime.now(UTC) + timedelta(days=40),
        }
    )
    conflict = ConflictBody(user_id=world.stranger.id, kind="neighbour", reason="Next door")
    transfer = TransferBody(to_user_id=world.jo.id, reason="They moved")
    change, why = ShareChange(level="know"), ExplainBody(user_id=world.jo.id, case_id=case_id, action="read")
    return {
        "share_case": ShareCase(case_id=case_id, share=body),
        "check_share": CheckShare(case_id=case_id, share=body),
        "list_shares": ListShares(case_id=case_id),
        "get_share": GetShare(case_id=case_id, share_id=share_id),
        "change_share": ChangeShare(
            case_id=case_id, share_id=share_id, if_match=share["etag"], change=change
        ),
        "revoke_share": RevokeShare(case_id=case_id, share_id=share_id, reason="other"),
        "list_access": ListAccess(case_id=case_id),
        "certify_share": CertifyShare(case_id=case_id, share_id=share_id),
        "request_access": RequestAccess(case_id=case_id, asked=AccessRequestBody(reason="More")),
        "list_access_requests": ListAccessRequests(case_id=case_id),
        "answer_access_request": AnswerAccessRequest(
            case_id=case_id, request_id=none, answer=AccessAnswer(state="declined")
        ),
        "offer_transfer": OfferTransfer(case_id=case_id, transfer=transfer),
        "list_transfers": ListTransfers(case_id=case_id),
        "decide_transfer": DecideTransfer(
            case_id=case_id, transfer_id=none, decision=TransferDecision(state="cancelled")
        ),
        "declare_conflict": DeclareConflict(case_id=case_id, conflict=conflict),
        "list_conflicts": ListConflicts(case_id=case_id),
        "withdraw_conflict": WithdrawConflict(case_id=case_id, conflict_id=none),
        "list_glasses": ListGlasses(case_id=case_id),
        "review_glass": ReviewGlass(
            case_id=case_id, glass_id=none, review=GlassReview(decision="justified", reason="It was")
        ),
        "explain": Explain(question=why),
    }


def answered(who: Person, method: str, request: Request) -> str:
    """The code, or what it was answered with."""
    try:
        who.ask(method, request, key=uuid.uuid4().hex)
    except ConcordatError as problem:
        return problem.code
    return "answered"
