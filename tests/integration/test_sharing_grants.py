"""Grants on the real broker and database: register, share, narrow, revoke, and what everybody is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.authority import (
    CaseEvent,
    Describe,
    Described,
    GetPrincipals,
    Principals,
    RegisterCase,
)
from services.contracts.envelope import Event, new_event_id
from services.contracts.errors import (
    AgencyNotActive,
    ConsentReasonRequired,
    ExpiryBeyondProtocol,
    GatewayNotForRecipient,
    IfMatchRequired,
    Invalid,
    MemberNotInAgency,
    NotOwner,
    NotVisible,
    PurposeNotInProtocol,
    SectionNotForSide,
    Stale,
)
from services.contracts.sharing.directory import ListDirectory, SearchDirectory
from services.contracts.sharing.shares import (
    ChangeShare,
    CheckShare,
    GetShare,
    ListAccess,
    ListShares,
    ShareBody,
    ShareCase,
    ShareChange,
)
from tests.cell import Parts
from tests.integration.calling import Calling, Ear, instances
from tests.integration.granting import World
from tests.integration.sharing_gate import CASES, sharing_alone
from tests.waiting import until


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs: Path = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "notify") as notify,
        sharing_alone(parts, logs),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        world = World(parts, calling, {"cases": cases, "notify": notify}, client["sharing"])
        yield world
        world.close()


@pytest.fixture(scope="module")
def with_cases(parts: Parts, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`cases` is up, from the first test on that wants it."""
    with (
        instances(parts, tmp_path_factory.mktemp("cases"), CASES),
        connect(parts.mongo_url("cases"), app="test") as client,
    ):
        yield client["cases"]


# While `cases` is down


def test_a_new_case_has_its_owner_and_the_owners_team(world: World) -> None:
    case_id = new_event_id()
    first = world.register(case_id)
    assert first == world.register(case_id)
    assert (first.epoch, first.owner.user.name, first.owner.team.name) == (1, "Olive Owner", world.asb.name)  # type: ignore[union-attr]
    (team,) = first.shares
    assert (team.kind, team.level, team.team_ids) == ("team", "contribute", (world.asb.id,))
    assert world.may_know(case_id, world.owner, world.colleague, world.jo) == [True, True, False]
    assert world.may_know(world.case(team=False), world.owner, world.colleague) == [True, False]
    with pytest.raises(Invalid) as refused:
        world.peers["cases"].ask(
            "sharing.register_case",
            RegisterCase(
                case_id=new_event_id(),
                owner_user_id=world.owner.id,
                owner_agency_id=world.police.id,
                owner_team_id=world.wardens.id,
            ),
            key=uuid.uuid4().hex,
        )
    assert refused.value.errors[0].pointer == "/owner_team_id"


def test_a_share_lets_in_whom_it_names_and_nobody_else(world: World) -> None:
    case_id = world.case()
    key, request = uuid.uuid4().hex, ShareCase(case_id=case_id, share=ShareBody(**world.terms()))
    share = world.owner.tell("share_case", request, key)
    assert (share["state"], share["regime"], share["granted_by"]["name"]) == (
        "active",
        "uk_gdpr",
        "Olive Owner",
    )
    assert share["members"] == [{"user_id": world.jo.id}, {"team_id": world.wardens.id}]
    assert [one["name"] for one in share["who"]] == ["Jo Housing", world.wardens.name]
    again = world.owner.tell("share_case", request, key)
    assert again["id"] == share["id"]
    assert (world.acl(case_id).epoch, len(world.acl(case_id).shares)) == (2, 2)
    assert world.may_know(case_id, world.jo, world.warden, world.stranger) == [True, True, False]
    assert world.may_know(case_id, world.jo, section="timeline") == [True]
    assert world.may_know(case_id, world.jo, section="risk") == [False]
    assert world.may_know(case_id, world.jo, withheld_from=(world.homes.id,)) == [False]
    # one entry for each reply: the share, its replay
    actions = [
        one.action for one in world.recorded(world.owner) if one.objects and one.objects[0].id == case_id
    ]
    assert actions.count("share.read") == 1
    assert again["disclosed"]["entry_id"] != share["disclosed"]["entry_id"]
    assert {one.id for one in world.recorded(world.owner)} >= {
        share["disclosed"]["entry_id"],
        again["disclosed"]["entry_id"],
    }


def test_recipients_see_the_share_that_names_them_and_strangers_nothing(world: World) -> None:
    share = world.share(world.case(), consent={"state": "refused", "reason": "She is afraid"})
    assert world.get(world.owner, share)["consent"]["reason"] == "She is afraid"
    assert world.get(world.jo, share)["consent"] == {"state": "refused"}
    listed = world.jo.ask("list_shares", ListShares(case_id=share["case_id"]))["items"]
    assert [one["id"] for one in listed] == [share["id"]]
    owners = world.owner.ask("list_shares", ListShares(case_id=share["case_id"]))["items"]
    assert [(one["kind"], one["state"]) for one in owners] == [("share", "active"), ("team", "active")]
    for stranger in (world.stranger, world.person(world.police, "Pat Police")):
        with pytest.raises(NotVisible):
            world.get(stranger, share)
    with pytest.raises(NotVisible):
        world.owner.ask("get_share", GetShare(case_id=share["case_id"], share_id=new_event_id()))
    with pytest.raises(NotVisible):
        world.owner.ask("get_share", GetShare(case_id=new_event_id(), share_id=share["id"]))


def test_who_may_not_know_is_told_the_same_as_of_no_case_and_it_is_recorded(world: World) -> None:
    body = ShareBody(**world.terms(purpose="nonsense"))
    case_id, none = world.case(), new_event_id()
    for one in (case_id, none):
        with pytest.raises(NotVisible):
            world.stranger.tell("share_case", ShareCase(case_id=one, share=body))
    refused = [one for one in world.recorded(world.stranger) if one.action == "share.create"]
    assert [(one.outcome, one.code, one.objects[0].id) for one in refused[-2:]] == [
        ("refused", "not_found", case_id),
        ("refused", "not_found", none),
    ]
    with pytest.raises(NotOwner):
        world.colleague.tell("share_case", ShareCase(case_id=case_id, share=body))


@pytest.mark.parametrize(
    ("changed", "error", "pointer"),
    [
        (lambda w: {"agency_id": w.fire.id}, AgencyNotActive, "/agency_id"),
        (lambda w: {"purpose": "research"}, PurposeNotInProtocol, "/purpose"),
        (lambda w: {"protocol_id": "no-such"}, PurposeNotInProtocol, "/protocol_id"),
        (lambda w: {"legal_gateway": "other"}, GatewayNotForRecipient, "/legal_gateway"),
        (lambda w: {"agency_id": w.charity.id}, GatewayNotForRecipient, "/legal_gateway"),
        (lambda w: {"members": [{"user_id": w.colleague.id}]}, MemberNotInAgency, "/members/0"),
        (lambda w: {"members": [{"team_id": w.jo.id}]}, MemberNotInAgency, "/members/0"),
        (
            lambda w: {"expires_at": datetime.now(UTC) + timedelta(days=99)},
            ExpiryBeyondProtocol,
            "/expires_at",
        ),
        (lambda w: {"consent": {"state": "not_sought"}}, ConsentReasonRequired, "/consent/reason"),
        (lambda w: {"side": "perpetrator", "sections": ["victim"]}, SectionNotForSide, "/sections"),
    ],
)
def test_what_may_not_be_shared_is_refused_with_its_place(
    world: World, changed: Any, error: type[Invalid], pointer: str
) -> None:
    case_id = world.case()
    body = ShareBody(**world.terms(**changed(world)))
    for method, request in (
        ("check_share", CheckShare(case_id=case_id, share=body)),
        ("share_case", ShareCase(case_id=case_id, share=body)),
    ):
        with pytest.raises(error) as refused:
            world.owner.ask(method, request, key=None if method == "check_share" else uuid.uuid4().hex)
        assert pointer in [one.pointer for one in refused.value.errors]
    assert world.acl(case_id).epoch == 1


def test_a_check_stores_nothing(world: World) -> None:
    case_id = world.case()
    told = world.owner.ask("check_share", CheckShare(case_id=case_id, share=ShareBody(**world.terms())))
    assert (told["regime"], told["agency"]["name"]) == ("uk_gdpr", world.homes.name)
    assert world.acl(case_id).epoch == 1


def test_a_narrowing_is_in_every_caller_concerned_at_once(world: World) -> None:
    share = world.share(world.case(), level="contribute")
    case_id = share["case_id"]
    changed = world.change(world.owner, share, level="read", members=[{"user_id": world.jo.id}])
    assert (changed["level"], changed["id"]) == ("read", share["id"])
    assert changed["etag"] != share["etag"]
    assert world.may_know(case_id, world.jo, world.warden) == [True, False]
    fence = world.fence(case_id)
    assert fence is not None
    assert (fence["epoch"], fence["narrowing"], fence["pending"]) == (3, True, True)
    assert [world.fences_of(one, case_id) for one in (world.owner, world.jo, world.warden)] == [3, 3, 3]
    assert "purpose" in changed
    again = world.change(world.owner, share, sections=["summary", "timeline", "risk"])
    assert again["sections"] == ["summary", "timeline", "risk"]
    assert world.fences_of(world.jo, case_id) == 4


def test_a_change_needs_the_share_as_it_is(world: World) -> None:
    share = world.share(world.case())
    request = ChangeShare(case_id=share["case_id"], share_id=share["id"], change=ShareChange(level="know"))
    with pytest.raises(IfMatchRequired):
        world.owner.tell("change_share", request)
    with pytest.raises(Stale) as stale:
        world.owner.tell("change_share", request.model_copy(update={"if_match": "x"}))
    assert stale.value.etag == share["etag"]
    for by in (world.jo, world.warden):
        with pytest.raises(NotOwner):
            world.change(by, share, level="manage")
    with pytest.raises(NotVisible):
        world.stranger.tell("change_share", request)


def test_a_recipient_hands_back_and_is_out(world: World) -> None:
    share = world.share(world.case())
    told = world.change(world.jo, share, state="revoked", reason="no_longer_needed")
    assert (told["state"], told["revoked"]["by"]["name"]) == ("revoked", "Jo Housing")
    assert world.may_know(share["case_id"], world.jo, world.warden) == [False, False]
    with pytest.raises(NotVisible):
        world.get(world.jo, share)
    shown = world.get(world.owner, share)
    assert (shown["state"], shown["revoked"]["agency"]["name"]) == ("revoked", world.homes.name)


def test_a_revoke_is_in_effect_when_it_returns(world: World) -> None:
    share = world.share(world.case())
    case_id, key = share["case_id"], uuid.uuid4().hex
    assert world.may_know(case_id, world.jo) == [True]
    world.revoke(share, key)
    assert world.may_know(case_id, world.jo) == [False]
    assert world.fences_of(world.jo, case_id) == 3
    assert world.acl(case_id).epoch == 3
    world.revoke(share, key)
    world.revoke(share)  # of what is over: nothing, again
    assert world.acl(case_id).epoch == 3
    listed = world.owner.ask("list_shares", ListShares(case_id=case_id))["items"]
    assert [(one["id"] == share["id"], one["state"]) for one in listed] == [
        (False, "active"),
        (True, "revoked"),
    ]
    one_each = [
        world.owner.ask("list_shares", ListShares(case_id=case_id, limit=1, cursor=cursor))
        for cursor in (None, world.owner.ask("list_shares", ListShares(case_id=case_id, limit=1))["next"])
    ]
    assert [page["items"][0]["id"] for page in one_each] == [one["id"] for one in listed]
    assert one_each[1]["next"] is None


def test_the_events_of_a_case_are_numbered_without_a_gap(world: World, ear: Ear) -> None:
    heard = ear.listen("sharing.events")
    share = world.share(world.case())
    world.change(world.owner, share, level="know")
    world.revoke(share)
    messages = ear.heard(heard, share["case_id"].encode(), 3)
    events = [Event.from_json(message.body) for message in messages]
    assert [(one.type, one.number) for one in events] == [
        ("case.shared", 1),
        ("share.changed", 2),
        ("share.revoked", 3),
    ]
    assert {one.subject for one in events} == {f"cases/{share['case_id']}"}
    assert events[0].read(CaseEvent).share_id == share["id"]


def test_many_at_once_take_their_turns_and_a_repeated_one_counts_once(world: World) -> None:
    case_id = world.case(team=False)
    request = ShareCase(case_id=case_id, share=ShareBody(**world.terms()))
    keys = [uuid.uuid4().hex for _ in range(6)] * 2
    asked = [(key, *world.owner.signed("sharing", "share_case", request, key)) for key in keys]
    calls = [
        world.calling.begin(
            "sharing.share_case", request, caller=signed, request_id=request_id, key=key, seconds=10
        )
        for key, signed, request_id in asked
    ]
    shares = [call.result(20)["id"] for call in calls]
    assert shares[:6] == shares[6:]
    found = world.acl(case_id)
    assert sorted(one.id for one in found.shares) == sorted(shares[:6])
    assert found.epoch == 7
    row = world.database["ownerships"].find_one({"_id": case_id})
    assert row["events"] == 6


def test_a_protocol_that_ended_suspends_its_shares_and_narrowing_still_works(world: World) -> None:
    share = world.share(world.case())
    other = world.person(world.police, "Opal Operator", role="agency_admin")
    world.end_protocol()
    try:
        assert world.may_know(share["case_id"], world.jo) == [False]
        with pytest.raises(Exception, match=r".*") as refused:
            other.ask("list_directory", ListDirectory())
        assert getattr(refused.value, "code", "") == "protocol_expired"
    finally:
        world.renew_protocol()
    assert world.may_know(share["case_id"], world.jo) == [True]


def test_the_owner_sees_who_can_see_and_why(world: World) -> None:
    client = world.client(world.homes, "Homes system", world.jo)
    disabled = world.person(world.homes, "Dora Disabled")
    boss = world.person(world.homes, "Bo Boss", role="agency_admin")
    members = [
        {"user_id": disabled.id},
        {"user_id": boss.id},
        {"team_id": world.wardens.id},
        {"client_id": client.id},
    ]
    share = world.share(world.case(), members=members)
    world.database["users"].update_one({"_id": disabled.id}, {"$set": {"state": "disabled"}})
    items = world.owner.ask("list_access", ListAccess(case_id=share["case_id"]))["items"]
    by_name = {one["who"]["name"]: one for one in items}
    assert set(by_name) == {
        "Olive Owner",
        "Colin Colleague",
        "Wendy Warden",
        "Homes system",
        "Dora Disabled",
        "Bo Boss",
    }
    warden = by_name["Wendy Warden"]
    assert (warden["via"], warden["now"], warden["who"]["team"]["id"]) == ("share", "open", world.wardens.id)
    assert warden["protocol"] == {"id": world.protocol.id, "clause": "Prevention of crime and disorder"}
    assert (warden["legal_gateway"], warden["procedure_version"]) == ("cda_s115", world.procedure.version)
    assert by_name["Dora Disabled"]["blocked_by"] == "account_disabled"
    assert by_name["Bo Boss"]["blocked_by"] == "role_required"
    owner, colleague = by_name["Olive Owner"], by_name["Colin Colleague"]
    assert (owner["via"], owner["until"], owner["protocol"]) == ("owner", None, None)
    assert (colleague["via"], colleague["level"]) == ("team", "contribute")
    first = world.owner.ask("list_access", ListAccess(case_id=share["case_id"], limit=4))
    rest = world.owner.ask("list_access", ListAccess(case_id=share["case_id"], limit=4, cursor=first["next"]))
    # Nobody twice: the owner not through the team as well.
    assert first["items"] + rest["items"] == items
    with pytest.raises(NotOwner):
        world.colleague.ask("list_access", ListAccess(case_id=share["case_id"]))


def test_the_directory_lists_and_finds_and_says_who_is_not_available(world: World) -> None:
    unsigned = world.person(world.homes, "Ürsula Unsigned-Smith", world.wardens)
    world.database["users"].update_one({"_id": unsigned.id}, {"$set": {"signature": None}})
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = world.owner.ask(
            "list_directory", ListDirectory(agency_id=world.homes.id, limit=2, cursor=cursor)
        )
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len({one["id"] for one in items}) == len(items)
    by_name = {one["name"]: one for one in items}
    assert by_name[world.wardens.name]["kind"] == "team"
    assert by_name["Jo Housing"] == {
        "kind": "user",
        "id": world.jo.id,
        "name": "Jo Housing",
        "job_title": "Officer",
        "agency": {"id": world.homes.id, "name": world.homes.name},
        "available": True,
    }
    assert by_name["Wendy Warden"]["team"]["id"] == world.wardens.id
    assert by_name["Ürsula Unsigned-Smith"]["because"] == "procedure_unsigned"
    team = world.owner.ask("list_directory", ListDirectory(team_id=world.wardens.id))["items"]
    assert {one["name"] for one in team} == {"Wendy Warden", "Ürsula Unsigned-Smith"}
    found = world.owner.ask("search_directory", SearchDirectory(text="smi URS"))["items"]
    assert [one["id"] for one in found] == [unsigned.id]
    assert (
        world.owner.ask("search_directory", SearchDirectory(text="urs", agency_id=world.fire.id))["items"]
        == []
    )
    blaze = world.person(world.fire, "Fay Fire")
    (shown,) = world.owner.ask("list_directory", ListDirectory(agency_id=world.fire.id))["items"]
    assert (shown["id"], shown["available"], shown["because"]) == (blaze.id, False, "agency_not_active")
    assert "directory.list" in {one.action for one in world.recorded(world.owner)}


def test_other_services_get_names_and_principals(world: World) -> None:
    ids = (world.jo.id, world.wardens.id, world.homes.id, "no-such")
    told: Described = world.peers["cases"].ask("sharing.describe", Describe(ids=ids), reply=Described)
    assert told.names == {
        world.jo.id: "Jo Housing",
        world.wardens.id: world.wardens.name,
        world.homes.id: world.homes.name,
    }
    assert told.agencies == {world.jo.id: world.homes.id, world.wardens.id: world.homes.id}
    found: Principals = world.peers["cases"].ask(
        "sharing.principals", GetPrincipals(ids=(world.jo.id, world.wardens.id, "no-such")), reply=Principals
    )
    assert {(one.kind, one.id, one.active) for one in found.items} == {
        ("user", world.jo.id, True),
        ("team", world.wardens.id, True),
    }
    assert world.fire.id in found.inactive_agencies
    assert world.calling.code("sharing.describe", Describe(ids=ids)) == "refused"


# `cases` comes up


def test_a_list_that_could_not_be_applied_is_applied_when_cases_is_there(
    world: World, with_cases: Any
) -> None:
    """The tests above were all made while it was down."""

    def nothing_pending() -> bool:
        return world.database["fences"].find_one({"pending": True}) is None

    until(nothing_pending, seconds=60)
    assert with_cases["lists"].count_documents({}) > 0
    for fence in world.database["fences"].find():
        assert fence["narrowing"]
        assert timedelta(minutes=59) < fence["drop_at"] - fence["applied_at"] <= timedelta(hours=1)


def test_with_cases_there_a_widening_leaves_no_fence_and_a_narrowing_one_for_an_hour(
    world: World, with_cases: Any
) -> None:
    case_id = world.case()
    share = until(lambda: world.share(case_id))
    until(lambda: world.fence(case_id) is None)
    assert with_cases["lists"].find_one({"_id": case_id})["epoch"] == 2
    world.revoke(share)
    until(lambda: (world.fence(case_id) or {}).get("applied_at"))
    assert world.fences_of(world.jo, case_id) == 3
    assert with_cases["lists"].find_one({"_id": case_id})["epoch"] == 3
