"""The partnership of the tests in which everything is real: whose cases are opened, shared and offered."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from services.contracts.cases.cases import CreateCase, GetCase, ListCases
from services.contracts.errors import NotVisible
from services.contracts.messages import Request
from services.contracts.notify import Inbox, ListInbox
from services.contracts.sharing.people import GetUser, PatchUser, UserChanges
from services.contracts.sharing.shares import ShareBody, ShareCase
from services.contracts.sharing.transfers import (
    DecideTransfer,
    ListOwnerless,
    ListTransfers,
    OfferTransfer,
    TransferBody,
    TransferDecision,
)
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.partnership import Partnership, Person, case_body, clock

SHARING = "services.sharing.service:SharingService"
CASES = "services.cases.service:CasesService"


class World(Partnership):
    """Two agencies whose people ask `sharing`, `cases` and `notify`, each request identified anew."""

    def __init__(self, parts: Parts, calling: Calling, database: Any) -> None:
        super().__init__(parts, calling, database)
        self.asb, self.wardens = self.team(self.police, "ASB"), self.team(self.homes, "Wardens")
        self.owner = self.person(self.police, "Olive Owner", self.asb)
        self.colleague = self.person(self.police, "Colin Colleague", self.asb)
        self.lee = self.person(self.police, "Lee Later", self.asb)
        self.jo = self.person(self.homes, "Jo Housing", self.wardens)
        self.warden = self.person(self.homes, "Wendy Warden", self.wardens)
        self.stranger = self.person(self.homes, "Stan Stranger")
        self.admin = self.person(self.police, "Ada Admin", role="agency_admin")
        self.dpo = self.person(self.police, "Dan Protection", role="agency_dpo")

    def ask(self, who: Person, service: str, method: str, request: Request, key: str | None = None) -> Any:
        signed, request_id = who.signed(service, method, request, key)
        return self.calling.ask(
            f"{service}.{method}", request, caller=signed, request_id=request_id, key=key, seconds=5
        )

    def open(self, owner: Person | None = None, team_id: str | None = None) -> str:
        who = owner or self.owner
        made = self.ask(who, "cases", "create_case", CreateCase(case=case_body(team_id)), uuid.uuid4().hex)
        return str(made["id"])

    def offer(self, case_id: str, to: Person, by: Person | None = None, key: str | None = None) -> Any:
        request = OfferTransfer(case_id=case_id, transfer=TransferBody(to_user_id=to.id, reason="They moved"))
        return (by or self.owner).tell("offer_transfer", request, key)

    def decide(self, offer: Any, who: Person, state: Any, **more: Any) -> Any:
        request = DecideTransfer(
            case_id=offer["case_id"],
            transfer_id=offer["id"],
            decision=TransferDecision(state=state, **more),
        )
        return who.tell("decide_transfer", request)

    def transfers(self, case_id: str, who: Person, **more: Any) -> list[Any]:
        return list(who.ask("list_transfers", ListTransfers(case_id=case_id, **more))["items"])

    def share(self, case_id: str, **changed: Any) -> Any:
        terms = self.terms_for(
            self.homes.id,
            {"user_id": self.warden.id},
            level="contribute",
            sections=["summary", "timeline", "tasks"],
            expires_at=clock() + timedelta(days=40),
        )
        share = ShareBody.model_validate({**terms, **changed})
        return self.owner.tell("share_case", ShareCase(case_id=case_id, share=share))

    def level(self, who: Person, case_id: str) -> str | None:
        """What somebody gets of the case, in the list and by itself alike; None: there is no such case."""
        listed = self.ask(who, "cases", "list_cases", ListCases(limit=100))["items"]
        try:
            request = GetCase(case_id=case_id, access_reason="task")
            found = self.ask(who, "cases", "get_case", request)
        except NotVisible:
            found = None
        assert (case_id in [one["id"] for one in listed]) is (found is not None)
        if found is None:
            return None
        if found["my_access"]["level"] == "know":
            assert found.keys() - {"etag", "disclosed"} == {"id", "reference", "owner", "my_access"}
        via = str(found["my_access"]["via"])
        return via if via == "owner" else str(found["my_access"]["level"])

    def inbox(self, who: Person) -> list[tuple[str, str]]:
        signed, request_id = who.signed("notify", "list_inbox", ListInbox(), None)
        found: Inbox = self.calling.ask(
            "notify.list_inbox", ListInbox(), caller=signed, request_id=request_id, reply=Inbox
        )
        return [(one.case_id or "", one.text) for one in found.items]

    def patch(self, who: Person, **changes: Any) -> None:
        etag = self.admin.ask("get_user", GetUser(user_id=who.id))["etag"]
        request = PatchUser(user_id=who.id, if_match=etag, changes=UserChanges(**changes))
        self.admin.tell("patch_user", request)

    def ownerless(self) -> Any:
        return self.admin.ask("list_ownerless", ListOwnerless(limit=100))
