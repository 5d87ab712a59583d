"""The partnership of the tests of grants: whose cases are registered, shared and taken back, and what other
services ask about them."""

from __future__ import annotations

from typing import Any

from services.contracts.access import AccessList
from services.contracts.authority import (
    AccessLists,
    GetAccessLists,
    MayKnow,
    MayKnowAnswers,
    Question,
    RegisterCase,
)
from services.contracts.cases.cases import GetCase
from services.contracts.envelope import new_event_id
from services.contracts.sharing.shares import (
    ChangeShare,
    GetShare,
    RevokeShare,
    ShareBody,
    ShareCase,
    ShareChange,
)
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.partnership import Partnership, Person


class World(Partnership):
    """The partnership, and what other services ask."""

    def __init__(self, parts: Parts, gateway: Calling, peers: dict[str, Calling], database: Any) -> None:
        super().__init__(parts, gateway, database)
        self.peers = peers
        self.asb, self.wardens = self.team(self.police, "ASB"), self.team(self.homes, "Wardens")
        self.owner = self.person(self.police, "Olive Owner", self.asb)
        self.colleague = self.person(self.police, "Colin Colleague", self.asb)
        self.jo = self.person(self.homes, "Jo Housing")
        self.warden = self.person(self.homes, "Wendy Warden", self.wardens)
        self.stranger = self.person(self.homes, "Stan Stranger")

    def case(self, team: bool = True) -> str:
        case_id = new_event_id()
        self.register(case_id, team=team)
        return case_id

    def register(self, case_id: str, *, team: bool = True, **more: Any) -> AccessList:
        request = RegisterCase(
            case_id=case_id,
            owner_user_id=self.owner.id,
            owner_agency_id=self.police.id,
            owner_team_id=self.asb.id if team else None,
            **more,
        )
        found: AccessList = self.peers["cases"].ask(
            "sharing.register_case", request, key=f"register-{case_id}", reply=AccessList
        )
        return found

    def terms(self, **changed: Any) -> dict[str, Any]:
        members = {"user_id": self.jo.id}, {"team_id": self.wardens.id}
        return {**self.terms_for(self.homes.id, *members), **changed}

    def share(self, case_id: str, **changed: Any) -> dict[str, Any]:
        share = ShareBody.model_validate(self.terms(**changed))
        found: dict[str, Any] = self.owner.tell("share_case", ShareCase(case_id=case_id, share=share))
        return found

    def change(self, by: Person, share: dict[str, Any], **changes: Any) -> dict[str, Any]:
        found: dict[str, Any] = by.tell(
            "change_share",
            ChangeShare(
                case_id=share["case_id"],
                share_id=share["id"],
                if_match=self.tag(by, share),
                change=ShareChange.model_validate(changes),
            ),
        )
        return found

    def tag(self, by: Person, share: dict[str, Any]) -> str:
        return str(self.get(by, share)["etag"])

    def get(self, by: Person, share: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = by.ask("get_share", GetShare(case_id=share["case_id"], share_id=share["id"]))
        return found

    def revoke(self, share: dict[str, Any], key: str | None = None) -> Any:
        request = RevokeShare(case_id=share["case_id"], share_id=share["id"], reason="no_longer_needed")
        return self.owner.tell("revoke_share", request, key)

    def may_know(self, case_id: str, *people: Person, **more: Any) -> list[bool]:
        questions = tuple(Question(principal_id=one.id, case_id=case_id, **more) for one in people)
        told: MayKnowAnswers = self.peers["notify"].ask(
            "sharing.may_know", MayKnow(questions=questions), reply=MayKnowAnswers
        )
        return list(told.answers)

    def acl(self, case_id: str) -> AccessList:
        told: AccessLists = self.peers["cases"].ask(
            "sharing.access_lists", GetAccessLists(case_ids=(case_id,)), reply=AccessLists
        )
        return told.items[0]

    def fence(self, case_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.database["fences"].find_one({"_id": case_id})
        return found

    def fences_of(self, person: Person, case_id: str) -> Any:
        fences = person.caller("cases", "get_case", GetCase(case_id=case_id)).fences
        assert fences != "all"
        return fences.get(case_id)
