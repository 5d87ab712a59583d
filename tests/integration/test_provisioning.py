"""Leavers: told by the agency's identity system, out with the answer, and nobody let in by it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from services.contracts.errors import (
    AgencySuspended,
    Invalid,
    InvalidTransition,
    NotVisible,
    RoleRequired,
    Stale,
    Unauthenticated,
)
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.directory import ListDirectory
from services.contracts.sharing.people import GetUser, ListUsers, PatchUser, UserChanges
from services.contracts.sharing.provisioning import (
    ChangeProvisioned,
    ChangesOfProvisioned,
    GetProvisioned,
    ListProvisioned,
    RemoveProvisioned,
)
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.federation import Federation, federated
from tests.integration.partnership import Person


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federated(parts, calling, tmp_path_factory.mktemp("logs")) as made:
        yield made


@pytest.fixture(scope="module")
def admin(world: Federation) -> Person:
    return world.administrator(world.police)


@pytest.fixture(scope="module")
def system(world: Federation, admin: Person) -> Person:
    return world.provisioner(world.police, admin)


@pytest.fixture
def officer(world: Federation) -> Person:
    return world.person(world.police, "Olive Officer")


def change(system: Person, who: Person, **changes: object) -> dict[str, object]:
    request = ChangeProvisioned(user_id=who.id, changes=ChangesOfProvisioned.model_validate(changes))
    found: dict[str, object] = system.tell("change_provisioned", request)
    return found


def test_who_leaves_is_out_with_the_answer(world: Federation, system: Person, officer: Person) -> None:
    assert officer.ask("me", GetMe())["user"]["id"] == officer.id
    assert change(system, officer, active=False)["active"] is False
    with pytest.raises(Unauthenticated):
        officer.ask("me", GetMe())
    row = world.database["users"].find_one({"_id": officer.id})
    assert (row["state"], row["sessions"]) == ("disabled", [])
    (entry,) = [one for one in world.recorded(system) if one.objects[0].id == officer.id]
    assert (entry.action, entry.outcome, entry.actor.kind) == ("user.disable", "done", "client")
    change(system, officer, active=False)  # again: nothing more happens
    assert len([one for one in world.recorded(system) if one.objects[0].id == officer.id]) == 1


def test_what_it_has_disabled_it_enables_and_nothing_else(
    world: Federation, admin: Person, system: Person, officer: Person
) -> None:
    world.database["users"].update_one({"_id": officer.id}, {"$set": {"password": {"hash": "x"}}})
    change(system, officer, active=False)
    assert change(system, officer, active=True)["active"] is True
    with pytest.raises(Unauthenticated):
        officer.ask("me", GetMe())  # the session that ended has ended
    disable = UserChanges(state="disabled")
    etag = admin.ask("get_user", GetUser(user_id=officer.id))["etag"]
    admin.tell("patch_user", PatchUser(user_id=officer.id, if_match=f'"{etag}"', changes=disable))
    with pytest.raises(InvalidTransition):
        change(system, officer, active=True)


def test_what_an_administrator_disables_as_well_is_an_administrators_to_enable(
    world: Federation, admin: Person, system: Person, officer: Person
) -> None:
    assert not admin.ask("get_user", GetUser(user_id=officer.id)).get("system_may_enable")
    change(system, officer, active=False)
    shown = admin.ask("get_user", GetUser(user_id=officer.id))
    assert shown["system_may_enable"] is True
    disable = UserChanges(state="disabled")
    patch = PatchUser(user_id=officer.id, if_match=f'"{shown["etag"]}"', changes=disable)
    assert not admin.tell("patch_user", patch).get("system_may_enable")
    with pytest.raises(InvalidTransition):
        change(system, officer, active=True)


def test_who_never_came_in_is_invited_again_and_not_active(world: Federation, system: Person) -> None:
    user = world.invite(world.police)
    who = Person(world, user, "")
    change(system, who, active=False)
    assert change(system, who, active=True)["active"] is True
    assert world.row(user)["state"] == "invited"


def test_a_deleted_person_is_nobody_to_it_until_an_administrator_lets_them_in_again(
    world: Federation, admin: Person, system: Person, officer: Person
) -> None:
    world.database["users"].update_one({"_id": officer.id}, {"$set": {"password": {"hash": "x"}}})
    change(system, officer, external_id=f"e-{officer.id}")
    system.tell("remove_provisioned", RemoveProvisioned(user_id=officer.id))
    with pytest.raises(Unauthenticated):
        officer.ask("me", GetMe())
    with pytest.raises(NotVisible):
        system.ask("get_provisioned", GetProvisioned(user_id=officer.id))
    assert system.ask("list_provisioned", ListProvisioned(external_id=f"e-{officer.id}"))["total"] == 0
    with pytest.raises(NotVisible):
        change(system, officer, active=True)
    shown = admin.ask("get_user", GetUser(user_id=officer.id))
    assert not shown.get("system_may_enable")  # to the system there is nobody
    enable = PatchUser(user_id=officer.id, if_match=f'"{shown["etag"]}"', changes=UserChanges(state="active"))
    assert admin.tell("patch_user", enable)["state"] == "active"
    assert system.ask("get_provisioned", GetProvisioned(user_id=officer.id))["active"] is True
    change(system, officer, active=False)


def test_it_sees_and_touches_its_own_agencys_people_alone(world: Federation, system: Person) -> None:
    tenant = world.person(world.homes, "Tess Tenant")
    with pytest.raises(NotVisible):
        system.ask("get_provisioned", GetProvisioned(user_id=tenant.id))
    with pytest.raises(NotVisible):
        change(system, tenant, active=False)
    with pytest.raises(NotVisible):
        system.tell("remove_provisioned", RemoveProvisioned(user_id=tenant.id))
    assert system.ask("list_provisioned", ListProvisioned(username=tenant.user.username))["total"] == 0
    assert tenant.ask("me", GetMe())["user"]["id"] == tenant.id
    mine = {one["id"] for one in _all(system)}
    agencies = world.database["users"].find({"_id": {"$in": list(mine)}}).distinct("agency_id")
    assert agencies == [world.police.id]


def test_people_are_found_by_user_name_in_any_case_and_by_external_id(
    world: Federation, system: Person, officer: Person
) -> None:
    found = system.ask("list_provisioned", ListProvisioned(username=officer.user.username.upper()))
    assert [one["id"] for one in found["items"]] == [officer.id]
    name = uuid.uuid4().hex
    change(system, officer, external_id=name)
    found = system.ask("list_provisioned", ListProvisioned(external_id=name))
    assert ([one["id"] for one in found["items"]], found["total"]) == ([officer.id], 1)
    other = world.person(world.police, "Otto Other")
    with pytest.raises(Invalid) as refused:
        change(system, other, external_id=name)
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/external_id", "taken")]
    change(system, officer, external_id=None)
    change(system, other, external_id=name)


def test_a_version_that_was_read_is_the_one_that_is_changed(system: Person, officer: Person) -> None:
    tag = system.ask("get_provisioned", GetProvisioned(user_id=officer.id))["etag"]
    change(system, officer, external_id=f"v-{officer.id}")
    stale = ChangeProvisioned(
        user_id=officer.id, if_match=f'"{tag}"', changes=ChangesOfProvisioned(active=False)
    )
    with pytest.raises(Stale):
        system.tell("change_provisioned", stale)
    assert officer.ask("me", GetMe())["user"]["id"] == officer.id


def test_its_token_opens_nothing_else_and_nobody_else_provisions(
    world: Federation, admin: Person, system: Person, officer: Person
) -> None:
    for method, request in (
        ("list_users", ListUsers()),
        ("list_directory", ListDirectory(agency_id=world.police.id)),
        ("me", GetMe()),
    ):
        with pytest.raises(RoleRequired):
            system.ask(method, request)
    for person in (admin, officer):
        with pytest.raises(RoleRequired):
            person.ask("list_provisioned", ListProvisioned())
    system_token, system.token = system.token, system.token[:-1] + "~"
    with pytest.raises(Unauthenticated):
        system.ask("list_provisioned", ListProvisioned())
    system.token = system_token


def test_the_one_who_answers_for_it_can_leave_as_well(world: Federation) -> None:
    answers = world.person(world.charity, "Ann Answers")
    system, other = world.provisioner(world.charity, answers), world.person(world.charity, "Bo Both")
    change(system, answers, active=False)
    change(system, other, active=False)
    with pytest.raises(Unauthenticated):
        other.ask("me", GetMe())


def _all(system: Person) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while True:
        page = system.ask("list_provisioned", ListProvisioned(start=len(found) + 1, count=3))
        found += page["items"]
        if len(found) >= page["total"]:
            return found


def test_who_leaves_while_the_agency_is_suspended_is_out_when_it_is_back(
    world: Federation, system: Person, officer: Person
) -> None:
    name = f"agencies.{world.police.id}.state"
    standing = world.database["standing"]
    standing.update_one({"_id": "standing"}, {"$set": {name: "suspended"}, "$inc": {"version": 1}})
    try:
        with pytest.raises(AgencySuspended):
            officer.ask("me", GetMe())
        assert change(system, officer, active=False)["active"] is False
    finally:
        standing.update_one({"_id": "standing"}, {"$set": {name: "active"}, "$inc": {"version": 1}})
    with pytest.raises(Unauthenticated):
        officer.ask("me", GetMe())


def test_a_user_name_that_only_looks_alike_is_nobodys(
    world: Federation, system: Person, officer: Person
) -> None:
    kim = world.invite(world.police, username=f"kim.{uuid.uuid4().hex[:10]}")
    assert system.ask("list_provisioned", ListProvisioned(username=kim.username.upper()))["total"] == 1
    alike = kim.username.replace("k", "\u212a")
    assert system.ask("list_provisioned", ListProvisioned(username=alike))["total"] == 0
