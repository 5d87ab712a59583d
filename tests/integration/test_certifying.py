"""Confirming people and shares on the real broker and database: lists, reminders, and no end by it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.errors import InvalidTransition, Malformed, NotOwner, NotVisible, RoleRequired
from services.contracts.sharing.certifying import (
    CertifyShare,
    CertifyUser,
    ListSharesToCertify,
    ListUsersToCertify,
)
from services.contracts.sharing.conflicts import ConflictBody, DeclareConflict
from services.sharing.stores.certifying import make
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.notifying import NOTIFY, QUICK
from tests.integration.partnership import Person
from tests.integration.sharing_gate import CASES, SHARING
from tests.integration.test_agreements import Agreed, told
from tests.waiting import until

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agreed]:
    logs = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "notify") as notify,
        instances(parts, logs, SHARING, CASES),
        instances(parts, logs, NOTIFY, **QUICK),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        made = Agreed(parts, calling, {"cases": cases, "notify": notify}, client["sharing"])
        yield made
        made.close()


def due(world: Agreed, *, user: Person | None = None, share: Any = None, when: datetime) -> None:
    """The calendar has got so far that this one is due then."""
    if user is not None:
        world.database["users"].update_one({"_id": user.id}, {"$set": {"certify_by": when}})
    if share is not None:
        world.database["ownerships"].update_one(
            {"_id": share["case_id"], "grants.id": share["id"]}, {"$set": {"grants.$.certify_by": when}}
        )


def users(by: Person, **more: Any) -> list[dict[str, Any]]:
    """All parts of the list."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = by.ask("list_users_to_certify", ListUsersToCertify(limit=2, cursor=cursor, **more))
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def shares(by: Person, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = by.ask("list_shares_to_certify", ListSharesToCertify(limit=2, cursor=cursor, **more))
        assert page["disclosed"]
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def certify(by: Person, share: Any, key: str | None = None) -> Any:
    return by.tell("certify_share", CertifyShare(case_id=share["case_id"], share_id=share["id"]), key)


def test_an_agency_confirms_its_people_and_sees_who_is_overdue(world: Agreed) -> None:
    late, soon = world.person(world.police, "Late"), world.person(world.police, "Soon")
    gone = world.person(world.police, "Gone")
    due(world, user=late, when=NOW - timedelta(days=1))
    due(world, user=soon, when=NOW + timedelta(days=3))
    due(world, user=gone, when=NOW - timedelta(days=2))
    world.database["users"].update_one({"_id": gone.id}, {"$set": {"state": "disabled"}})
    seen = users(world.admin)
    assert [one["certify_by"] for one in seen] == sorted(one["certify_by"] for one in seen)
    by_id = {one["user"]["id"]: one for one in seen}
    assert len(by_id) == len(seen)
    assert {late.id, soon.id, world.owner.id} <= set(by_id)
    assert not {gone.id, world.jo.id} & set(by_id)
    assert (by_id[late.id]["overdue"], by_id[soon.id]["overdue"]) == (True, False)
    assert by_id[late.id]["roles"] == ["practitioner"]
    overdue = [one["user"]["id"] for one in users(world.admin, overdue=True)]
    assert late.id in overdue
    assert soon.id not in overdue
    # Nothing is cut off by it.
    assert late.ask("list_shares_to_certify", ListSharesToCertify())["items"] == []
    key = uuid.uuid4().hex
    answer = world.admin.tell("certify_user", CertifyUser(user_id=late.id), key)
    assert world.admin.tell("certify_user", CertifyUser(user_id=late.id), key) == answer
    left = datetime.fromisoformat(answer["certify_by"]) - NOW
    assert timedelta(days=90) <= left <= timedelta(days=91, hours=1)
    assert late.id not in [one["user"]["id"] for one in users(world.admin, overdue=True)]
    assert "user.certify" in [one.action for one in world.recorded(world.admin)]
    with pytest.raises(NotVisible):
        world.foreign.tell("certify_user", CertifyUser(user_id=soon.id))
    with pytest.raises(InvalidTransition):
        world.admin.tell("certify_user", CertifyUser(user_id=gone.id))
    for one in (world.owner, world.operator):
        with pytest.raises(RoleRequired):
            users(one)


def test_an_owner_confirms_shares_of_its_cases_and_nothing_about_them_changes(world: Agreed) -> None:
    case_id = world.case()
    given = [world.share(case_id, level=level) for level in ("read", "know", "task")]
    late, soon, _fresh = given
    due(world, share=late, when=NOW - timedelta(days=1))
    due(world, share=soon, when=NOW + timedelta(days=3))
    mine = [one for one in shares(world.owner) if one["case_id"] == case_id]
    assert [one["share_id"] for one in mine] == [one["id"] for one in given]
    assert [(one["overdue"], one["level"]) for one in mine] == [
        (True, "read"),
        (False, "know"),
        (False, "task"),
    ]
    assert mine[0]["agency"]["id"] == world.homes.id
    lists = world.acl(case_id)
    assert world.may_know(case_id, world.jo) == [True]  # overdue, and in force
    key = uuid.uuid4().hex
    answer = certify(world.owner, late, key)
    assert certify(world.owner, late, key)["certify_by"] == answer["certify_by"]
    assert [one["share_id"] for one in shares(world.owner, overdue=True) if one["case_id"] == case_id] == []
    assert world.acl(case_id) == lists
    assert world.fence(case_id) is None or world.fence(case_id)["epoch"] == lists.epoch  # type: ignore[index]
    assert "share.certify" in [one.action for one in world.recorded(world.owner)]
    with pytest.raises(NotOwner):
        certify(world.jo, late)
    with pytest.raises(NotVisible):
        certify(world.stranger, late)
    with pytest.raises(NotVisible):
        certify(world.owner, {"case_id": case_id, "id": uuid.uuid4().hex})
    world.revoke(soon)
    with pytest.raises(InvalidTransition):
        certify(world.owner, soon)
    assert soon["id"] not in [one["share_id"] for one in shares(world.owner)]


def test_a_data_protection_officer_sees_what_the_own_agency_left_overdue_and_no_more(world: Agreed) -> None:
    dpo = world.person(world.police, "Dora", role="agency_dpo")
    foreign = world.person(world.homes, "Fred", role="agency_dpo")
    overdue, hidden, fresh = (world.share(world.case()) for _ in range(3))
    for one in (overdue, hidden):
        due(world, share=one, when=NOW - timedelta(days=1))
    body = ConflictBody(user_id=dpo.id, kind="neighbour", reason="Next door")
    world.owner.tell("declare_conflict", DeclareConflict(case_id=hidden["case_id"], conflict=body))
    seen = {one["case_id"]: one for one in shares(dpo, of="agency")}
    assert overdue["case_id"] in seen
    assert seen[overdue["case_id"]]["owner"] == {"id": world.owner.id, "name": "Olive Owner"}
    assert not {hidden["case_id"], fresh["case_id"]} & set(seen)
    assert shares(foreign, of="agency") == []
    for one in (world.owner, world.jo):
        with pytest.raises(RoleRequired):
            shares(one, of="agency")
    listed = [one for one in world.recorded(dpo) if one.action == "share.list_to_certify"]
    assert overdue["case_id"] in {about.id for one in listed for about in one.objects}


def test_a_cursor_that_nobody_gave_is_refused(world: Agreed) -> None:
    for cursor in ("Zm9v", "WyIyMDI2LTExLTAxIiwgMV0", "WyIyMDI2LTExLTAxIiwgIngiXQ"):
        with pytest.raises(Malformed):
            world.owner.ask("list_shares_to_certify", ListSharesToCertify(cursor=cursor))


def test_whoever_answers_for_it_is_reminded_before_and_when_it_is_overdue(world: Agreed) -> None:
    late, soon = world.share(world.case()), world.share(world.case())
    due(world, share=late, when=NOW - timedelta(days=1))
    due(world, share=soon, when=NOW + timedelta(days=3))
    ada = world.person(world.charity, "Ada of the charity", role="agency_admin")
    due(world, user=ada, when=NOW + timedelta(days=3))
    world.look_anew()
    href = "/certifications"
    until(lambda: (late["case_id"], href) in [(one[0], one[2]) for one in told(world.owner)])
    until(lambda: (soon["case_id"], href) in [(one[0], one[2]) for one in told(world.owner)])
    mine = {one[0]: one[1] for one in told(world.owner) if one[2] == href}
    assert mine[late["case_id"]].startswith("Sharing of a case of yours was not confirmed in time")
    assert mine[soon["case_id"]].startswith("Confirm within 7 days")
    page = "/administration/certifications"
    (reminder,) = until(lambda: [one for one in told(ada) if one[2] == page])
    assert reminder[1].startswith("Confirm within 7 days")
    assert told(world.jo) == []


def test_what_was_there_before_is_due_ninety_days_after_it_was_made(world: Agreed) -> None:
    person, share = world.person(world.police, "Before"), world.share(world.case())
    world.database["users"].update_one({"_id": person.id}, {"$unset": {"certify_by": True}})
    world.database["ownerships"].update_one(
        {"_id": share["case_id"]}, {"$unset": {"grants.$[].certify_by": True}}
    )
    make(world.database)
    row = world.database["users"].find_one({"_id": person.id})
    assert row["certify_by"] - row["created_at"] == timedelta(days=90)
    grants = world.database["ownerships"].find_one({"_id": share["case_id"]})["grants"]
    dates = {one["kind"]: one.get("certify_by") and one["certify_by"] - one["granted_at"] for one in grants}
    assert dates == {"team": None, "share": timedelta(days=90)}
