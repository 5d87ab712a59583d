"""The two services together: opened, shared, worked on, taken back; also while the holder is away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.cases.cases import CreateCase, GetCase, ListCases
from services.contracts.cases.entries import AddEntry, EntryBody
from services.contracts.cases.tasks import AddTask, Assignee, GetTask, TaskBody
from services.contracts.errors import (
    AssigneeWithoutAccess,
    ConcordatError,
    Invalid,
    LevelTooLow,
    NotVisible,
)
from services.contracts.messages import Request
from services.contracts.sharing.conflicts import ConflictBody, DeclareConflict
from services.contracts.sharing.glass import BreakGlass, GlassBody
from services.contracts.sharing.shares import RevokeShare, ShareBody, ShareCase
from tests.cell import Parts
from tests.integration.calling import Calling, Instance, instances
from tests.integration.partnership import Partnership, Person, case_body
from tests.waiting import until

SHARING = "services.sharing.service:SharingService"
CASES = "services.cases.service:CasesService"


class World(Partnership):
    """The partnership, and people who ask `cases`, each request identified anew."""

    def __init__(self, parts: Parts, calling: Calling, database: Any, holder: Instance) -> None:
        super().__init__(parts, calling, database)
        self.holder = holder
        self.asb = self.team(self.police, "ASB")
        self.owner = self.person(self.police, "Olive Owner", self.asb)
        self.colleague = self.person(self.police, "Colin Colleague", self.asb)
        self.jo = self.person(self.homes, "Jo Housing")
        self.stranger = self.person(self.homes, "Stan Stranger")

    def ask(self, who: Person, method: str, request: Request, key: str | None = None) -> Any:
        signed, request_id = who.signed("cases", method, request, key)
        return self.calling.ask(
            f"cases.{method}", request, caller=signed, request_id=request_id, key=key, seconds=5
        )

    def tell(self, who: Person, method: str, request: Request) -> Any:
        return self.ask(who, method, request, uuid.uuid4().hex)

    def open(self, team_id: str | None = None) -> dict[str, Any]:
        opened: dict[str, Any] = self.tell(self.owner, "create_case", CreateCase(case=case_body(team_id)))
        return opened

    def share(self, case_id: str) -> str:
        share = ShareBody.model_validate(
            self.terms_for(
                self.homes.id,
                {"user_id": self.jo.id},
                level="contribute",
                sections=["summary", "timeline", "tasks"],
            )
        )
        return str(self.owner.tell("share_case", ShareCase(case_id=case_id, share=share))["id"])

    def revoke(self, case_id: str, share_id: str) -> None:
        request = RevokeShare(case_id=case_id, share_id=share_id, reason="no_longer_needed")
        self.owner.tell("revoke_share", request)

    def sees(self, who: Person, case_id: str) -> bool:
        listed = self.ask(who, "list_cases", ListCases(limit=100))["items"]
        try:
            self.ask(who, "get_case", GetCase(case_id=case_id, access_reason="task"))
            found = True
        except NotVisible:
            found = False
        assert (case_id in [one["id"] for one in listed]) is found
        return found

    def task(self, case_id: str, who: Person) -> dict[str, Any]:
        body = TaskBody(title="Call", assignee=Assignee(user_id=who.id), due_on=date(2027, 1, 1))
        added: dict[str, Any] = self.tell(self.owner, "add_task", AddTask(case_id=case_id, task=body))
        return added

    def note(self, who: Person, case_id: str) -> dict[str, Any]:
        body = EntryBody(type="note", occurred_at=datetime.now(UTC), text="Quiet")
        added: dict[str, Any] = self.tell(who, "add_entry", AddEntry(case_id=case_id, entry=body))
        return added


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs: Path = tmp_path_factory.mktemp("logs")
    with (
        instances(parts, logs, SHARING, CASES, CONCORDAT_GLASS_MINUTES="0.1") as started,
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        world = World(parts, calling, client["sharing"], started[1])
        yield world
        world.close()


def test_a_case_is_opened_shared_worked_on_and_taken_back(world: World) -> None:
    case = world.open(world.asb.id)
    assert case["owner"]["user"]["name"] == "Olive Owner"
    assert case["owner"]["team"]["id"] == world.asb.id
    assert world.sees(world.colleague, case["id"])
    assert not world.sees(world.jo, case["id"])
    share_id = world.share(case["id"])
    assert world.sees(world.jo, case["id"])
    assert not world.sees(world.stranger, case["id"])
    assert world.note(world.jo, case["id"])["author"]["name"] == "Jo Housing"
    task = world.task(case["id"], world.jo)
    with pytest.raises(AssigneeWithoutAccess):
        world.task(case["id"], world.stranger)
    world.revoke(case["id"], share_id)
    assert not world.sees(world.jo, case["id"])
    with pytest.raises(NotVisible):
        world.note(world.jo, case["id"])

    def back() -> bool:
        found = world.ask(world.owner, "get_task", GetTask(case_id=case["id"], task_id=task["id"]))
        return bool(found["assignee"]["user_id"] == world.owner.id)

    until(back)


def test_a_revoke_holds_though_the_holder_heard_nothing_of_it(world: World) -> None:
    case_id = world.open()["id"]
    share_id = world.share(case_id)
    assert world.sees(world.jo, case_id)
    world.holder.pause()
    try:
        world.revoke(case_id, share_id)
    finally:
        world.holder.resume()
    assert not world.sees(world.jo, case_id)


def test_a_team_that_is_not_the_owners_is_pointed_at(world: World) -> None:
    with pytest.raises(Invalid) as invalid:
        world.open(world.team(world.police, "Others").id)
    assert invalid.value.errors[0].pointer == "/owner_team_id"


def test_when_the_protocol_ends_everything_under_it_does(world: World) -> None:
    case_id = world.open()["id"]
    world.share(case_id)
    assert world.sees(world.jo, case_id)
    world.end_protocol()
    try:
        with pytest.raises(ConcordatError) as problem:
            world.ask(world.jo, "get_case", GetCase(case_id=case_id, access_reason="task"))
        assert problem.value.status in (401, 403, 404)
    finally:
        world.renew_protocol()
    assert world.sees(world.jo, case_id)


def test_glass_opens_a_case_to_read_and_closes_at_its_instant(world: World) -> None:
    case_id = world.open(world.asb.id)["id"]
    hurried = world.person(world.homes, "Harry Hurried")
    assert not world.sees(hurried, case_id)
    request = BreakGlass(case_id=case_id, access_reason="safeguarding", glass=GlassBody(reason="Screams"))
    until_ = hurried.tell("break_glass", request)["until"]
    found = world.ask(hurried, "get_case", GetCase(case_id=case_id, access_reason="safeguarding"))
    assert (found["my_access"]["via"], found["my_access"]["until"]) == ("break_glass", until_)
    assert (found["my_access"]["level"], found["my_access"]["may"]) == ("read", [])
    assert "safe_contact" not in found["my_access"]["sections"]
    assert world.sees(hurried, case_id)
    with pytest.raises(LevelTooLow):
        world.note(hurried, case_id)
    ends = datetime.fromisoformat(until_)

    def listed() -> bool:
        return case_id in [one["id"] for one in world.ask(hurried, "list_cases", ListCases())["items"]]

    until(lambda: not listed(), 15)
    assert datetime.now(UTC) >= ends
    assert not world.sees(hurried, case_id)
    with pytest.raises(NotVisible):
        world.note(hurried, case_id)


def test_a_conflict_takes_the_case_from_its_reader_though_the_holder_heard_nothing_of_it(
    world: World,
) -> None:
    case_id = world.open(world.asb.id)["id"]
    world.share(case_id)
    assert world.sees(world.jo, case_id)
    world.holder.pause()
    try:
        conflict = ConflictBody(user_id=world.jo.id, kind="subject", reason="It is about her")
        world.owner.tell("declare_conflict", DeclareConflict(case_id=case_id, conflict=conflict))
    finally:
        world.holder.resume()
    assert not world.sees(world.jo, case_id)
    with pytest.raises(AssigneeWithoutAccess):
        world.task(case_id, world.jo)
    request = BreakGlass(case_id=case_id, access_reason="other", glass=GlassBody(reason="x"))
    with pytest.raises(NotVisible):
        world.jo.tell("break_glass", request)
