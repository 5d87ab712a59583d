"""The time machine on a real database: what was changed stays, and why somebody may see a case is told of any
instant. Every change here is made through the handlers, as people make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import Timestamp

from services.chassis.mongo import connect
from services.contracts.errors import Invalid, NotVisible
from services.contracts.sharing.agencies import AgencyChanges, AgencyMove, GetAgency, MoveAgency, PatchAgency
from services.contracts.sharing.clients import (
    ClientChanges,
    DeleteClient,
    GetClient,
    PatchClient,
    RotateSecret,
    RotationBody,
)
from services.contracts.sharing.explain import Explain, ExplainBody
from services.contracts.sharing.people import GetUser, PatchUser, ResetUser, RoleGiven, UserChanges
from services.contracts.sharing.procedures import GetCurrentProcedure, SignatureBody, SignProcedure
from services.contracts.sharing.protocols import (
    GetProtocol,
    MoveProtocol,
    PatchProtocol,
    ProtocolChanges,
    ProtocolMove,
)
from services.contracts.sharing.shares import ListAccess
from services.contracts.sharing.teams import GetTeam, PatchTeam, TeamChanges
from services.contracts.sharing.transfers import (
    DecideTransfer,
    OfferTransfer,
    TransferBody,
    TransferDecision,
)
from services.sharing.stores.kept import SHAPES, Kind
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.granting import World
from tests.integration.partnership import TODAY, Person
from tests.integration.sharing_gate import CASES, SHARING

BEYOND = frozenset({"confirmed", "events"})
"""Of an ownership: what was told of a case, not who may see it."""


class Past(World):
    """The partnership with those who run it, and what was done to it."""

    def __init__(
        self, parts: Parts, calling: Calling, peers: dict[str, Calling], database: Any, log: Any
    ) -> None:
        super().__init__(parts, calling, peers, database)
        self.operator = self.person(self.police, "Olga Operator", role="system_operator")
        self.admin = self.person(self.homes, "Ada Admin", role="agency_admin")
        self.dpo = self.person(self.homes, "Dee Officer", role="agency_dpo")
        self.partnership_dpo = self.person(self.charity, "Pat Officer", role="partnership_dpo")
        self.other_dpo = self.person(self.charity, "Cher Officer", role="agency_dpo")
        self.log, self.began = log, log.find_one(sort=[("$natural", -1)])["ts"]

    def person(self, agency: Any, name: str, *teams: Any, role: Any = "practitioner") -> Person:
        """One who has chosen a password, so that a disabled account can be enabled."""
        made = super().person(agency, name, *teams, role=role)
        chosen = {"hash": "-", "must_change": False, "changed_at": now()}
        self.database["users"].update_one({"_id": made.id}, {"$set": {"password": chosen}})
        return made

    # changes, as people make them

    def patch_user(self, person: Person, **changes: Any) -> None:
        etag = self.admin.ask("get_user", GetUser(user_id=person.id))["etag"]
        patch = PatchUser(user_id=person.id, if_match=etag, changes=UserChanges(**changes))
        self.admin.tell("patch_user", patch)

    def patch_team(self, team_id: str, **changes: Any) -> None:
        etag = self.admin.ask("get_team", GetTeam(team_id=team_id))["etag"]
        self.admin.tell(
            "patch_team", PatchTeam(team_id=team_id, if_match=etag, changes=TeamChanges(**changes))
        )

    def patch_agency(self, agency_id: str, **changes: Any) -> None:
        etag = self.operator.ask("get_agency", GetAgency(agency_id=agency_id))["etag"]
        patch = PatchAgency(agency_id=agency_id, if_match=etag, changes=AgencyChanges(**changes))
        self.operator.tell("patch_agency", patch)

    def move_agency(self, agency_id: str, to: Any) -> None:
        self.operator.tell("move_agency", MoveAgency(agency_id=agency_id, move=AgencyMove(to=to, reason="-")))

    def patch_protocol(self, **changes: Any) -> None:
        etag = self.operator.ask("get_protocol", GetProtocol(protocol_id=self.protocol.id))["etag"]
        patch = PatchProtocol(protocol_id=self.protocol.id, if_match=etag, changes=ProtocolChanges(**changes))
        self.operator.tell("patch_protocol", patch)

    def move_protocol(self, protocol_id: str, to: Any) -> None:
        move = ProtocolMove(to=to, reason="-")
        self.operator.tell("move_protocol", MoveProtocol(protocol_id=protocol_id, move=move))

    def patch_client(self, client_id: str, **changes: Any) -> None:
        etag = self.admin.ask("get_client", GetClient(client_id=client_id))["etag"]
        patch = PatchClient(client_id=client_id, if_match=etag, changes=ClientChanges(**changes))
        self.admin.tell("patch_client", patch)

    # questions

    def explain(
        self, by: Person, about: Any, case_id: str, action: str = "read", at: datetime | None = None
    ) -> Any:
        body = ExplainBody(user_id=about.id, case_id=case_id, action=action, at=at)
        return by.ask("explain", Explain(question=body))

    def wrong(self, about: Any, case_id: str, action: str = "read", at: datetime | None = None) -> set[str]:
        """The steps that do not hold, as the owner is told; nothing: it may."""
        told = self.explain(self.owner, about, case_id, action, at)
        found = {one["step"] for one in told["steps"] if one["holds"] is False}
        assert told["allowed"] is (not found)
        return found

    def kept(self, kind: Kind, who: str) -> list[Any]:
        wanted = {"kind": kind, "id": who}
        return list(self.database["history"].find(wanted).sort("number", 1))

    def present(self, kind: Kind, who: str) -> Any:
        shape = SHAPES[kind]
        return self.database[shape.collection].find_one({"_id": who}, shape.kept or None)


@pytest.fixture(scope="module")
def past(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    logs: Path = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "notify") as notify,
        instances(parts, logs, CASES, SHARING),
        connect(parts.mongo_url("sharing"), app="test") as client,
        connect(parts.mongo_url("operator"), app="test") as all_of_it,
    ):
        log = all_of_it["local"]["oplog.rs"]
        past = Past(parts, calling, {"cases": cases, "notify": notify}, client["sharing"], log)
        yield past
        past.close()


def now() -> datetime:
    return datetime.now(UTC)


# What was changed stays


def test_every_kind_of_change_leaves_the_version_before_it(past: Past) -> None:
    share = past.share(past.case(), members=[{"user_id": past.jo.id}])
    client = past.client(past.homes, "System", past.jo)
    new = past.person(past.homes, "Nora New")
    changes: list[tuple[Kind, str, Callable[[], Any]]] = [
        ("user", new.id, lambda: past.patch_user(new, job_title="Warden", team_ids=[past.wardens.id])),
        ("user", new.id, lambda: past.patch_user(new, roles=[RoleGiven(role="light_participant")])),
        ("user", new.id, lambda: past.patch_team(past.wardens.id, user_ids=[past.warden.id])),
        ("team", past.wardens.id, lambda: past.patch_team(past.wardens.id, name="Rangers")),
        ("user", new.id, lambda: past.patch_user(new, state="disabled")),
        ("user", new.id, lambda: past.patch_user(new, state="active")),
        ("user", new.id, lambda: past.admin.tell("reset_user", ResetUser(user_id=new.id))),
        ("user", past.admin.id, lambda: sign(past, past.admin)),
        ("agency", past.fire.id, lambda: past.patch_agency(past.fire.id, area="Tees")),
        ("agency", past.fire.id, lambda: past.move_agency(past.fire.id, "suspended")),
        ("agency", past.fire.id, lambda: past.move_agency(past.fire.id, "active")),
        ("protocol", past.protocol.id, lambda: past.patch_protocol(ends_on=TODAY + timedelta(days=61))),
        ("client", client.id, lambda: past.patch_client(client.id, scopes=["directory:read"])),
        ("client", client.id, lambda: rotate(past, client.id)),
        ("client", client.id, lambda: past.admin.tell("delete_client", DeleteClient(client_id=client.id))),
        ("ownership", share["case_id"], lambda: past.change(past.owner, share, level="know", sections=[])),
        ("ownership", share["case_id"], lambda: past.revoke(share)),
    ]
    for number, (kind, who, change) in enumerate(changes):
        before, there = past.present(kind, who), len(past.kept(kind, who))
        at = now()
        change()
        versions = past.kept(kind, who)
        assert len(versions) == there + 1, (number, kind)
        last = versions[-1]
        assert last["document"] == before, (number, kind)
        assert past.present(kind, who) != before, (number, kind)
        assert (last["_id"], last["number"]) == (f"{kind}/{who}/{there + 1}", there + 1)
        assert last["since"] == (versions[-2]["until"] if there else before[SHAPES[kind].began])
        assert at - timedelta(milliseconds=1) <= last["until"] <= now()
    kept = str(list(past.database["history"].find()))
    for secret in ("hash", "sessions", "password", "totp", "secrets", "words", "email", "somebody@"):
        # A protocol's contacts are part of it; nothing else has an address.
        assert secret not in kept or secret in ("email", "somebody@"), secret
    assert not list(past.database["history"].find({"kind": "user", "document.email": {"$exists": True}}))


def sign(past: Past, person: Person) -> None:
    current = person.ask("current_procedure", GetCurrentProcedure())
    body = SignatureBody(version=current["version"], sha256=current["sha256"])
    person.tell("sign_procedure", SignProcedure(signature=body))


def rotate(past: Past, client_id: str) -> None:
    past.admin.tell("rotate_secret", RotateSecret(client_id=client_id, rotation=RotationBody()))


def test_no_write_of_these_tests_left_nothing(past: Past) -> None:
    """The log of the database itself: each update of what is kept has its version in the same transaction."""
    assert unkept(past.log, past.began, past.database) == []


def unkept(log: Any, since: Timestamp, database: Any) -> list[str]:
    found = []
    kinds = {f"{database.name}.{shape.collection}": kind for kind, shape in SHAPES.items()}
    for row in log.find({"ts": {"$gt": since}, "op": {"$in": ["u", "c"]}}):
        parts = row["o"].get("applyOps", []) if row["op"] == "c" else [row]
        left = {
            (one["o"]["kind"], one["o"]["id"])
            for one in parts
            if one["op"] == "i" and one["ns"] == f"{database.name}.history"
        }
        for one in parts:
            kind = kinds.get(one["ns"])
            if one["op"] != "u" or kind is None or not touched(one["o"], kind):
                continue
            if (kind, one["o2"]["_id"]) not in left:
                found.append(f"{kind} {sorted(fields(one['o']))}")
    return found


def fields(change: Any) -> set[str]:
    """Top-level fields that an entry of the database's log changes."""
    if "diff" not in change:
        return set(change)
    found: set[str] = set()
    for name, part in change["diff"].items():
        found |= set(part) if name in ("u", "i", "d") else {name[1:]}
    return found


def touched(change: Any, kind: Kind) -> bool:
    shown = SHAPES[kind].kept
    if any(shown.values()):
        return not fields(change).isdisjoint(shown)
    return not fields(change) <= set(shown) | BEYOND


# Why somebody may, now


def test_access_and_explain_say_the_same(past: Past) -> None:
    case_id = past.case()
    light = past.person(past.homes, "Lily Light", role="light_participant")
    told_light = past.person(past.homes, "Lol Light", role="light_participant")
    boss = past.person(past.homes, "Bo Boss", role="agency_admin")
    gone = past.person(past.homes, "Guy Gone", past.wardens)
    client = past.client(past.homes, "Homes system", past.jo)
    members = [{"user_id": one.id} for one in (past.jo, light, boss)]
    past.share(
        case_id, members=[*members, {"client_id": client.id}, {"team_id": past.wardens.id}], level="task"
    )
    past.share(case_id, members=[{"user_id": told_light.id}], level="know", sections=[])
    past.patch_user(gone, state="disabled")
    items = past.owner.ask("list_access", ListAccess(case_id=case_id, limit=100))["items"]
    listed = {one["who"]["id"] for one in items if one["now"] == "open"}
    everybody = [
        *past.database["users"].find({}, {"_id": True}),
        *past.database["clients"].find({}, {"_id": True}),
    ]

    class One:
        def __init__(self, who: str) -> None:
            self.id = who

    explained = {
        row["_id"]
        for row in everybody
        if not past.wrong(One(row["_id"]), case_id, "get_case")
        or not past.wrong(One(row["_id"]), case_id, "list_tasks")
    }
    assert explained == listed
    assert {past.jo.id, light.id, client.id, past.owner.id} <= listed
    assert listed.isdisjoint({boss.id, gone.id, told_light.id, past.stranger.id})


def test_each_step_says_what_it_rests_on(past: Past) -> None:
    share = past.share(past.case(), members=[{"user_id": past.jo.id}])
    told = past.explain(past.owner, past.jo, share["case_id"])
    assert told["allowed"] is True
    steps = {one["step"]: one for one in told["steps"]}
    assert list(steps) == [
        "principal_active",
        "protocol_active",
        "procedure_signed",
        "training_current",
        "place_and_device",
        "case_there",
        "no_conflict",
        "agencies_active",
        "agency_granted",
        "individual_granted",
        "role_held",
        "level_reached",
        "grant_in_date",
        "reason_given",
    ]
    protocol = steps["protocol_active"]["cites"]
    assert protocol["protocols"] == [{"id": past.protocol.id, "clause": "Prevention of crime and disorder"}]
    assert protocol["legal_gateways"] == ["cda_s115"]
    assert steps["procedure_signed"]["cites"] == {"procedure_version": past.procedure.version}
    assert steps["individual_granted"]["cites"] == {"share_ids": [share["id"]]}
    assert steps["training_current"] == {
        "step": "training_current",
        "holds": True,
        "cites": {"use": "complex_asb"},
    }
    assert steps["place_and_device"]["holds"] is True, "its agency has no rules on that"
    assert steps["reason_given"]["holds"] is None
    assert past.wrong(past.jo, share["case_id"], "timeline") == set()
    assert past.wrong(past.jo, share["case_id"], "tasks") == {"level_reached"}
    assert past.wrong(past.jo, share["case_id"], "add_entry") == {"level_reached"}
    with pytest.raises(ValueError, match="no action"):
        ExplainBody(user_id="u", case_id="k", action="dance")


def test_it_is_told_to_those_who_answer_for_the_case_and_to_no_one_else(past: Past) -> None:
    share = past.share(past.case(), members=[{"user_id": past.jo.id}])
    case_id = share["case_id"]
    for one in (past.owner, past.partnership_dpo):
        assert past.explain(one, past.jo, case_id)["allowed"] is True
        assert past.explain(one, past.colleague, case_id)["allowed"] is True
    assert past.explain(past.dpo, past.jo, case_id)["allowed"] is True
    for by, about, which in (
        (past.dpo, past.colleague, case_id),
        (past.other_dpo, past.jo, case_id),
        (past.jo, past.jo, case_id),
        (past.colleague, past.jo, case_id),
        (past.admin, past.jo, case_id),
        (past.owner, past.jo, "no-such-case"),
        (past.partnership_dpo, past.jo, "no-such-case"),
        (past.partnership_dpo, past.asb, case_id),
    ):
        with pytest.raises(NotVisible):
            past.explain(by, about, which)
    assert [one.outcome for one in past.recorded(past.dpo)] == ["shown", "refused"]
    shown = next(one for one in past.recorded(past.dpo) if one.outcome == "shown")
    assert (shown.action, shown.operation) == ("access.explain", "consultation")
    assert [(one.type, one.id) for one in shown.objects] == [("case", case_id), ("user", past.jo.id)]
    assert {one.outcome for one in past.recorded(past.admin) if one.action == "access.explain"} == {"refused"}


def test_an_agencys_officer_learns_of_no_case_that_never_had_to_do_with_it(past: Past) -> None:
    """Whichever person of its own it asks about; then as soon as one of them is given it, and ever after."""
    case_id = past.case()
    codes = [
        past.calling.code("sharing.explain", request, caller=signed, request_id=request_id)
        for request in (question(past.jo, one) for one in (case_id, "no-such-case"))
        for signed, request_id in (past.dpo.signed("sharing", "explain", request, None),)
    ]
    assert codes == ["not_found", "not_found"]
    before = now()
    share = past.share(case_id, members=[{"user_id": past.jo.id}])
    assert past.explain(past.dpo, past.jo, case_id)["allowed"] is True
    with pytest.raises(NotVisible):
        past.explain(past.dpo, past.jo, case_id, at=before)
    with pytest.raises(NotVisible):
        past.explain(past.dpo, past.colleague, case_id)
    past.revoke(share)
    assert past.explain(past.dpo, past.jo, case_id)["allowed"] is False
    with pytest.raises(NotVisible):
        past.explain(past.other_dpo, past.person(past.charity, "Chas Charity"), case_id)


def test_an_agencys_officer_is_answered_of_a_case_that_it_gave_away_or_was_offered(past: Past) -> None:
    """Police gave it to housing: of its own people, not of housing's any more."""
    case_id = past.case()
    police_dpo = past.person(past.police, "Pol Officer", role="agency_dpo")
    assert past.explain(police_dpo, past.jo, case_id)["allowed"] is False
    offer = TransferBody(to_user_id=past.jo.id, reason="moved")
    made = past.owner.tell("offer_transfer", OfferTransfer(case_id=case_id, transfer=offer))
    assert past.explain(past.dpo, past.jo, case_id, "know")["allowed"] is True
    accept = TransferDecision(state="accepted")
    past.jo.tell("decide_transfer", DecideTransfer(case_id=case_id, transfer_id=made["id"], decision=accept))
    assert past.explain(past.dpo, past.colleague, case_id)["allowed"] is False
    assert past.explain(police_dpo, past.colleague, case_id)["allowed"] is False
    with pytest.raises(NotVisible):
        past.explain(police_dpo, past.jo, case_id)


def question(about: Person, case_id: str) -> Explain:
    return Explain(question=ExplainBody(user_id=about.id, case_id=case_id, action="read"))


# And why then


def test_what_somebody_could_see_then_is_told_as_it_was(past: Past) -> None:
    before_all = now()
    case_id = past.case()
    kim = past.person(past.homes, "Kim Housing", past.wardens)
    moments: list[tuple[datetime, set[str]]] = [(before_all, set())]

    def became(wrong: set[str]) -> None:
        """From now on."""
        assert past.wrong(kim, case_id) == wrong
        moments.append((now(), wrong))

    not_granted = {
        "agency_granted",
        "individual_granted",
        "grant_in_date",
        "protocol_active",
        "level_reached",
    }
    became(not_granted)
    share = past.share(case_id, members=[{"team_id": past.wardens.id}])
    became(set())
    past.patch_user(kim, team_ids=[])
    became({"individual_granted"})
    past.patch_user(kim, team_ids=[past.wardens.id])
    became(set())
    share = past.change(past.owner, share, level="know", sections=[])
    became({"level_reached"})
    past.patch_user(kim, roles=[RoleGiven(role="governance_member")])
    became({"level_reached", "role_held"})
    past.patch_user(kim, roles=[RoleGiven(role="practitioner")], state="disabled")
    became({"level_reached", "principal_active"})
    past.patch_user(kim, state="active")
    past.move_agency(past.homes.id, "suspended")
    became({"level_reached", "agencies_active", "protocol_active"})
    past.move_agency(past.homes.id, "active")
    became({"level_reached"})
    share = past.change(past.owner, share, level="read", sections=["summary"])
    became(set())
    past.revoke(share)
    became(not_granted)
    for at, wrong in moments[1:]:
        assert past.wrong(kim, case_id, at=at) == wrong, at
    then = past.explain(past.owner, kim, case_id, at=before_all)
    assert then["allowed"] is False
    held = {one["step"] for one in then["steps"] if one["holds"]}
    # What concerns nobody in particular stands as it stood; nothing of her or of the case was there.
    assert held <= {"training_current", "place_and_device", "no_conflict", "agencies_active"}
    with pytest.raises(Invalid) as refused:
        past.explain(past.owner, kim, case_id, at=now() + timedelta(minutes=1))
    assert refused.value.errors[0].pointer == "/at"
