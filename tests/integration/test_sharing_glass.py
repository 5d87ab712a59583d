"""Conflicts and broken glass on the real broker and database: who is let in, shut out, told, and recorded."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.alerts import AccessAlert
from services.contracts.envelope import Event, new_event_id
from services.contracts.errors import (
    AlreadyExists,
    CannotBeNamed,
    Invalid,
    InvalidTransition,
    NotOwner,
    NotVisible,
    OwnerHasConflict,
    OwnGlass,
    RateLimited,
    ReasonRequired,
)
from services.contracts.sharing.conflicts import (
    ConflictBody,
    DeclareConflict,
    ListConflicts,
    WithdrawConflict,
)
from services.contracts.sharing.glass import (
    BreakGlass,
    GlassBody,
    GlassReview,
    ListGlasses,
    ReviewGlass,
)
from services.contracts.sharing.shares import (
    ChangeShare,
    ListAccess,
    RevokeShare,
    ShareBody,
    ShareCase,
    ShareChange,
)
from tests.cell import Parts
from tests.integration.calling import Calling, Ear
from tests.integration.granting import World
from tests.integration.partnership import Person
from tests.integration.sharing_gate import sharing_alone
from tests.waiting import until

WHY = "Neighbours report screaming, no officer of the case can be reached"
SECRET = "Lives next door to the victim"


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs: Path = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "notify") as notify,
        sharing_alone(parts, logs, CONCORDAT_GLASS_A_DAY="2"),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        world = World(parts, calling, {"cases": cases, "notify": notify}, client["sharing"])
        yield world
        world.close()


def break_glass(who: Person, case_id: str, *, reason: Any = "safeguarding", key: str | None = None) -> Any:
    request = BreakGlass(case_id=case_id, access_reason=reason, glass=GlassBody(reason=WHY))
    return who.tell("break_glass", request, key)


def declare(by: Person, case_id: str, about: str, key: str | None = None) -> Any:
    body = ConflictBody(user_id=about, kind="neighbour", reason=SECRET)
    return by.tell("declare_conflict", DeclareConflict(case_id=case_id, conflict=body), key)


def review(by: Person, glass: Any, decision: Any = "justified") -> Any:
    said = GlassReview(decision=decision, reason="Looked into")
    request = ReviewGlass(case_id=glass["case_id"], glass_id=glass["id"], review=said)
    return by.tell("review_glass", request)


def glasses(by: Person, case_id: str) -> Any:
    return by.ask("list_glasses", ListGlasses(case_id=case_id))["items"]


def entries(world: World, person: Person, action: str) -> list[tuple[str, str | None, str]]:
    return [
        (one.outcome, one.code, one.objects[0].id) for one in world.recorded(person) if one.action == action
    ]


def test_it_opens_at_once_for_one_person_and_is_recorded_with_the_code_of_its_reason(
    world: World, ear: Ear
) -> None:
    heard = ear.listen("sharing.events")
    case_id, hurried = world.case(), world.person(world.homes, "Harry Hurried")
    assert world.may_know(case_id, hurried) == [False]
    before = datetime.now(UTC)
    told = break_glass(hurried, case_id)
    until_ = datetime.fromisoformat(told["until"])
    assert timedelta(minutes=59) < until_ - before < timedelta(minutes=61)
    assert world.may_know(case_id, hurried, world.stranger) == [True, False]
    assert world.may_know(case_id, hurried, section="victim") == [True]
    assert world.may_know(case_id, hurried, section="safe_contact") == [False]
    (record,) = [one for one in world.recorded(hurried) if one.action == "glass.break"]
    assert (record.outcome, record.reason) == ("done", "safeguarding")
    assert record.id == told["disclosed"]["entry_id"]
    assert WHY not in record.model_dump_json()
    events = [Event.from_json(one.body) for one in ear.heard(heard, case_id.encode(), 2)]
    assert [(one.type, one.number) for one in events] == [("share.changed", 1), ("access.alert", 2)]
    alert = events[1].read(AccessAlert)
    assert alert.alert == "glass_broken"
    assert alert.keys == (f"u:{world.owner.id}", f"o:agency_dpo.{world.police.id}", "o:partnership_dpo")
    assert WHY not in "".join(one.to_json().decode() for one in events)


def test_a_second_one_extends_nothing_and_a_repeated_one_counts_once(world: World) -> None:
    case_id, hurried, key = world.case(), world.person(world.homes, "Harry"), uuid.uuid4().hex
    first = break_glass(hurried, case_id, key=key)
    assert break_glass(hurried, case_id)["until"] == first["until"]
    assert break_glass(hurried, case_id, key=key)["until"] == first["until"]
    assert world.acl(case_id).epoch == 2
    assert [one.kind for one in world.acl(case_id).shares] == ["team", "break_glass"]
    assert len(world.database["glass_breakers"].find_one({"_id": hurried.id})["broken"]) == 1


def test_no_case_and_one_under_conflict_are_the_same_and_both_are_recorded(world: World) -> None:
    case_id, none, near = world.case(), new_event_id(), world.person(world.homes, "Nora Near")
    declare(world.owner, case_id, near.id)
    told = []
    for one in (case_id, none):
        with pytest.raises(NotVisible) as refused:
            break_glass(near, one)
        told.append(refused.value.to_wire())
    assert told[0] == told[1]
    assert entries(world, near, "glass.break") == [
        ("refused", "not_found", case_id),
        ("refused", "not_found", none),
    ]
    assert world.acl(case_id).epoch == 2


def test_a_reason_is_asked_for_whether_or_not_there_is_a_case(world: World) -> None:
    for one in (world.case(), new_event_id()):
        with pytest.raises(ReasonRequired):
            break_glass(world.stranger, one, reason=None)


def test_who_does_not_work_on_cases_breaks_none(world: World) -> None:
    for role in ("agency_admin", "agency_dpo", "light_participant", "system_operator"):
        other = world.person(world.homes, "Other", role=role)
        for one in (world.case(), new_event_id()):
            with pytest.raises(NotVisible):
                break_glass(other, one)


def test_the_owner_has_nothing_to_break(world: World) -> None:
    with pytest.raises(InvalidTransition):
        break_glass(world.owner, world.case())


def test_after_so_many_in_a_day_it_is_refused_alike_for_every_case(world: World) -> None:
    hurried = world.person(world.homes, "Harry")
    cases = [world.case() for _ in range(2)]
    for case_id in cases:
        break_glass(hurried, case_id)
    for case_id in (world.case(), new_event_id()):
        with pytest.raises(RateLimited) as refused:
            break_glass(hurried, case_id)
        assert 0 < (refused.value.retry_after or 0) <= 86_401
    assert [code for _, code, _ in entries(world, hurried, "glass.break")][-2:] == ["rate_limited"] * 2
    assert break_glass(hurried, cases[0])["until"]  # the one that is broken stays so


def test_many_at_once_by_one_person_are_counted_each(world: World) -> None:
    hurried = world.person(world.homes, "Harry")
    asked = []
    for _ in range(5):
        request = BreakGlass(
            case_id=world.case(team=False), access_reason="other", glass=GlassBody(reason=WHY)
        )
        key = uuid.uuid4().hex
        asked.append((request, key, *hurried.signed("sharing", "break_glass", request, key)))
    calls = [
        world.calling.begin(
            "sharing.break_glass", request, caller=signed, request_id=request_id, key=key, seconds=10
        )
        for request, key, signed, request_id in asked
    ]
    outcomes = []
    for call in calls:
        try:
            outcomes.append(bool(call.result(20)["until"]))
        except RateLimited:
            outcomes.append(False)
    assert 1 <= sum(outcomes) <= 2
    assert len(world.database["glass_breakers"].find_one({"_id": hurried.id})["broken"]) == sum(outcomes)


def test_it_ends_at_its_time_on_every_question_and_another_one_is_counted(world: World) -> None:
    case_id, hurried = world.case(), world.person(world.homes, "Harry")
    told = break_glass(hurried, case_id)
    past = datetime.now(UTC) - timedelta(milliseconds=5)
    world.database["ownerships"].update_one(
        {"_id": case_id, "grants.id": told["id"]}, {"$set": {"grants.$.expires_at": past}}
    )
    assert world.may_know(case_id, hurried) == [False]
    (seen,) = glasses(world.owner, case_id)
    assert seen["review"] == "open"
    again = break_glass(hurried, case_id)
    assert again["id"] != told["id"]
    assert len(world.database["glass_breakers"].find_one({"_id": hurried.id})["broken"]) == 2


def test_the_owner_ends_it_at_once_and_nobody_changes_it(world: World) -> None:
    case_id, hurried = world.case(), world.person(world.homes, "Harry")
    told = break_glass(hurried, case_id)
    share = {"case_id": case_id, "id": told["id"]}
    for by in (world.owner, hurried):
        change = ShareChange(level="manage")
        request = ChangeShare(
            case_id=case_id, share_id=told["id"], if_match=world.tag(by, share), change=change
        )
        with pytest.raises((InvalidTransition, NotOwner)):
            by.tell("change_share", request)
    with pytest.raises(NotOwner):
        hurried.tell("share_case", ShareCase(case_id=case_id, share=ShareBody(**world.terms())))
    request = RevokeShare(case_id=case_id, share_id=told["id"], reason="other")
    world.owner.tell("revoke_share", request)
    assert world.may_know(case_id, hurried) == [False]
    (seen,) = glasses(world.owner, case_id)
    assert datetime.fromisoformat(seen["ended_at"]) < datetime.fromisoformat(seen["until"])


def test_owner_and_officers_review_it_and_nobody_else(world: World) -> None:
    case_id, hurried = world.case(), world.person(world.homes, "Harry")
    dpo = world.person(world.police, "Dora DPO", role="agency_dpo")
    everywhere = world.person(world.charity, "Paula Partnership", role="partnership_dpo")
    foreign = world.person(world.homes, "Fred Foreign", role="agency_dpo")
    told = break_glass(hurried, case_id)
    for by in (world.owner, dpo, everywhere):
        (seen,) = glasses(by, case_id)
        assert (seen["id"], seen["user"]["name"], seen["reason"]) == (told["id"], "Harry", WHY)
        assert (seen["access_reason"], seen["ended_at"]) == ("safeguarding", None)
    for by, error in ((foreign, NotVisible), (world.stranger, NotVisible), (hurried, NotOwner)):
        with pytest.raises(error):
            glasses(by, case_id)
        with pytest.raises(error):
            review(by, told)
    with pytest.raises(NotVisible):
        glasses(everywhere, new_event_id())
    with pytest.raises(NotVisible):
        review(dpo, {**told, "id": new_event_id()})
    assert review(world.owner, told)["review"] == "justified"
    after = review(dpo, told, "not_justified")
    assert [one["decision"] for one in after["decisions"]] == ["justified", "not_justified"]
    assert after["review"] == "not_justified"
    record = [one for one in world.recorded(dpo) if one.action == "glass.review"][-1]
    assert (record.outcome, record.reason) == ("done", "not_justified")
    assert "Looked into" not in record.model_dump_json()


def test_an_officer_does_not_review_the_own_one(world: World) -> None:
    both = world.person(world.homes, "Bob Both")
    roles = [
        {"role": role, "starts_on": None, "ends_on": None} for role in ("practitioner", "partnership_dpo")
    ]
    world.database["users"].update_one({"_id": both.id}, {"$set": {"roles": roles}})
    told = break_glass(both, world.case())
    with pytest.raises(OwnGlass):
        review(both, told)


def test_what_nobody_reviewed_in_time_escalates_once(world: World, ear: Ear) -> None:
    heard = ear.listen("sharing.events")
    case_id, hurried = world.case(), world.person(world.homes, "Harry")
    reviewed, waiting = break_glass(hurried, case_id), break_glass(hurried, other := world.case())
    review(world.owner, reviewed)
    long_ago = datetime.now(UTC) - timedelta(seconds=1)
    world.database["glasses"].update_many(
        {"_id": {"$in": [reviewed["id"], waiting["id"]]}}, {"$set": {"review_by": long_ago}}
    )
    until(lambda: glasses(world.owner, other)[0]["escalated_at"], 45)
    assert glasses(world.owner, case_id)[0]["escalated_at"] is None
    events = [Event.from_json(one.body) for one in ear.heard(heard, other.encode(), 3)]
    assert [(one.type, one.number) for one in events] == [
        ("share.changed", 1),
        ("access.alert", 2),
        ("access.alert", 3),
    ]
    overdue = events[2].read(AccessAlert)
    assert (overdue.alert, overdue.keys) == ("glass_overdue", ("o:partnership_dpo",))
    assert world.acl(other).epoch == 2
    world.share(other)  # the numbers go on without a gap
    (shared,) = [Event.from_json(one.body) for one in ear.heard(heard, other.encode(), 1)]
    assert (shared.type, shared.number) == ("case.shared", 4)


def test_whom_a_conflict_shuts_out_the_case_does_not_exist_for(world: World) -> None:
    share = world.share(world.case())
    case_id = share["case_id"]
    told = declare(world.owner, case_id, world.jo.id)
    assert (told["user"]["name"], told["kind"], told["reason"]) == ("Jo Housing", "neighbour", SECRET)
    assert world.may_know(case_id, world.jo, world.warden) == [False, True]
    fence = world.fence(case_id)
    assert fence is not None
    assert (fence["epoch"], fence["narrowing"]) == (3, True)
    assert world.fences_of(world.jo, case_id) == 3
    with pytest.raises(NotVisible):
        world.get(world.jo, share)
    listed = world.owner.ask("list_access", ListAccess(case_id=case_id))["items"]
    blocked = {one["who"]["name"]: one.get("blocked_by") for one in listed}
    assert blocked["Jo Housing"] == "conflict_of_interest"
    record = [one for one in world.recorded(world.owner) if one.action == "conflict.declare"][-1]
    assert record.outcome == "done"
    written = record.model_dump_json()
    assert SECRET not in written
    assert world.jo.id not in written


def test_a_glass_that_is_broken_ends_with_the_conflict(world: World) -> None:
    case_id, hurried = world.case(), world.person(world.homes, "Harry")
    key = uuid.uuid4().hex
    break_glass(hurried, case_id, key=key)
    declare(world.owner, case_id, hurried.id)
    assert world.may_know(case_id, hurried) == [False]
    for again in (key, None):
        with pytest.raises(NotVisible):
            break_glass(hurried, case_id, key=again)


def test_it_is_declared_by_the_owner_of_others_and_by_a_reader_of_itself(world: World) -> None:
    share = world.share(world.case())
    case_id = share["case_id"]
    with pytest.raises(NotOwner):
        declare(world.warden, case_id, world.jo.id)
    with pytest.raises(NotVisible):
        declare(world.stranger, case_id, world.stranger.id)
    with pytest.raises(OwnerHasConflict):
        declare(world.owner, case_id, world.owner.id)
    with pytest.raises(Invalid) as refused:
        declare(world.owner, case_id, new_event_id())
    assert refused.value.errors[0].pointer == "/user_id"
    key = uuid.uuid4().hex
    assert declare(world.jo, case_id, world.jo.id, key)["user"]["name"] == "Jo Housing"
    assert world.may_know(case_id, world.jo) == [False]
    for again in (key, None):
        with pytest.raises(NotVisible):
            declare(world.jo, case_id, world.jo.id, again)
    with pytest.raises(AlreadyExists):
        declare(world.owner, case_id, world.jo.id)


def test_the_owner_takes_a_conflict_back_and_nobody_else_does(world: World) -> None:
    share = world.share(world.case())
    case_id = share["case_id"]
    told, key = declare(world.owner, case_id, world.jo.id), uuid.uuid4().hex
    request = WithdrawConflict(case_id=case_id, conflict_id=told["id"])
    for one, refusal in ((world.jo, NotVisible), (world.warden, NotOwner), (world.stranger, NotVisible)):
        with pytest.raises(refusal):
            one.tell("withdraw_conflict", request)
    assert world.may_know(case_id, world.jo) == [False]
    for _ in range(2):
        world.owner.tell("withdraw_conflict", request, key)
    assert world.may_know(case_id, world.jo) == [True]
    assert world.get(world.jo, share)["id"] == share["id"]
    assert world.acl(case_id).epoch == 4
    assert entries(world, world.owner, "conflict.withdraw")[-1] == ("done", None, case_id)
    with pytest.raises(NotVisible):
        world.owner.tell("withdraw_conflict", request)


def test_conflicts_are_listed_to_the_owner_alone_newest_first(world: World) -> None:
    share = world.share(world.case())
    case_id = share["case_id"]
    for one in (world.stranger, world.colleague):
        declare(world.owner, case_id, one.id)
    first = world.owner.ask("list_conflicts", ListConflicts(case_id=case_id, limit=1))
    second = world.owner.ask("list_conflicts", ListConflicts(case_id=case_id, cursor=first["next"]))
    assert [one["user"]["name"] for one in (*first["items"], *second["items"])] == [
        "Colin Colleague",
        "Stan Stranger",
    ]
    assert second["next"] is None
    with pytest.raises(NotOwner):
        world.warden.ask("list_conflicts", ListConflicts(case_id=case_id))
    with pytest.raises(NotVisible):
        world.colleague.ask("list_conflicts", ListConflicts(case_id=case_id))


def test_who_is_shut_out_cannot_be_named_and_only_the_owner_hears_it(world: World) -> None:
    case_id = world.case()
    declare(world.owner, case_id, world.stranger.id)
    with pytest.raises(CannotBeNamed) as refused:
        world.share(case_id, members=[{"user_id": world.jo.id}, {"user_id": world.stranger.id}])
    assert refused.value.errors[0].pointer == "/members/1"
    share = ShareBody(**world.terms(members=[{"user_id": world.stranger.id}]))
    with pytest.raises(NotOwner):
        world.colleague.tell("share_case", ShareCase(case_id=case_id, share=share))
