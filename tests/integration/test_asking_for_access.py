"""Asking for access to a case that one knows of, on the real broker and database: who may, who is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.envelope import new_event_id
from services.contracts.errors import AlreadyExists, InvalidTransition, NotOwner, NotVisible
from services.contracts.sharing.asking import (
    AccessAnswer,
    AccessRequestBody,
    AnswerAccessRequest,
    ListAccessRequests,
    RequestAccess,
)
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.granting import World
from tests.integration.notifying import NOTIFY, QUICK
from tests.integration.partnership import Person
from tests.integration.sharing_gate import CASES, SHARING
from tests.integration.test_agreements import told
from tests.waiting import until

WHY = "She is moving into one of our houses"


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        Calling(parts, "notify") as notify,
        instances(parts, logs, SHARING, CASES),
        instances(parts, logs, NOTIFY, **QUICK),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        made = World(parts, calling, {"cases": cases, "notify": notify}, client["sharing"])
        yield made
        made.close()


def ask(who: Person, case_id: str, key: str | None = None) -> Any:
    request = RequestAccess(case_id=case_id, asked=AccessRequestBody(reason=WHY))
    return who.tell("request_access", request, key)


def answer(who: Person, asked: Any, state: Any, text: str | None = None) -> Any:
    given = AccessAnswer(state=state, answer=text)
    request = AnswerAccessRequest(case_id=asked["case_id"], request_id=asked["id"], answer=given)
    return who.tell("answer_access_request", request)


def listed(who: Person, case_id: str) -> list[str]:
    return [
        one["id"] for one in who.ask("list_access_requests", ListAccessRequests(case_id=case_id))["items"]
    ]


def test_the_owner_is_asked_and_answers_and_who_asked_is_told(world: World) -> None:
    case_id = world.case()
    world.share(case_id, level="know", sections=[])
    key = uuid.uuid4().hex
    asked = ask(world.jo, case_id, key)
    assert ask(world.jo, case_id, key)["id"] == asked["id"]
    assert (asked["state"], asked["reason"], asked["answered_by"]) == ("open", WHY, None)
    other = ask(world.warden, case_id)
    with pytest.raises(AlreadyExists):
        ask(world.jo, case_id)
    assert listed(world.owner, case_id) == [other["id"], asked["id"]]
    assert listed(world.jo, case_id) == [asked["id"]]
    page = f"/cases/{case_id}/access-requests"
    until(lambda: [one[2] for one in told(world.owner)].count(page) == 2)
    with pytest.raises(NotOwner):
        answer(world.jo, asked, "shared")
    done = answer(world.owner, asked, "declined", "Not before Monday")
    assert (done["state"], done["answer"], done["answered_by"]["id"]) == (
        "declined",
        "Not before Monday",
        world.owner.id,
    )
    until(lambda: (case_id, "You asked for access to a case: its owner declined", page) in told(world.jo))
    with pytest.raises(InvalidTransition):
        answer(world.owner, asked, "shared")
    assert told(world.warden) == []
    again = ask(world.jo, case_id)  # what was answered may be asked anew
    assert listed(world.jo, case_id) == [again["id"], asked["id"]]
    # The reason is for the owner: the log has who asked, and no more.
    mine = [one for one in world.recorded(world.jo) if one.action == "access.request"]
    assert {one.outcome for one in mine} == {"done"}
    assert WHY not in "".join(one.model_dump_json() for one in mine)
    # An answer gives nothing by itself.
    answer(world.owner, other, "shared")
    assert world.may_know(case_id, world.warden, section="timeline") == [False]


def test_who_may_not_know_of_the_case_is_told_the_same_as_of_none(world: World) -> None:
    case_id = world.case()
    share = world.share(case_id, level="know", sections=[])
    asked = ask(world.jo, case_id)
    for where in (case_id, new_event_id()):
        for act in (
            lambda where=where: ask(world.stranger, where),
            lambda where=where: listed(world.stranger, where),
            lambda where=where: answer(world.stranger, {**asked, "case_id": where}, "declined"),
        ):
            with pytest.raises(NotVisible):
                act()
    with pytest.raises(NotVisible):
        answer(world.owner, {**asked, "id": new_event_id()}, "declined")
    with pytest.raises(InvalidTransition):
        ask(world.owner, case_id)
    world.revoke(share)
    with pytest.raises(NotVisible):
        listed(world.jo, case_id)
    assert listed(world.owner, case_id) == [asked["id"]]
    # Of a case that one may not know of any more, the answer is not told.
    answer(world.owner, asked, "declined")
    assert case_id not in [one[0] for one in told(world.jo)]
