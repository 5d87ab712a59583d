"""A narrowing holds from the moment that `sharing` commits it, whatever `cases` has heard of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from services.contracts.authority import CasesKnown, GetCasesKnown
from services.contracts.cases import cases
from services.contracts.errors import NotVisible, Refused, Unavailable
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.cases_world import World, given, working


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with working(parts, calling, tmp_path_factory.mktemp("cases")) as world:
        yield world


def _channels(world: World, case_id: str, who: Any) -> list[Callable[[], Any]]:
    return [
        lambda: who.get(case_id, "task"),
        lambda: who.get(case_id, "task", ("entries", "tasks")),
        lambda: who.timeline(case_id, "task"),
        lambda: who.tasks_of(case_id, "task"),
        lambda: who.note(case_id),
    ]


@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_committed_revoke_holds_before_it_was_applied(world: World, all_of_them: bool) -> None:
    owner, officer = world.person(), world.person("B")
    case_id, other_id = owner.create()["id"], owner.create()["id"]
    world.share(case_id, given(officer))
    world.share(other_id, given(officer))
    officer.note(case_id)
    acl = world.decided(case_id)
    officer.fences = "all" if all_of_them else {case_id: acl.epoch}
    assert officer.listed() == [other_id]
    assert officer.search("noise") == [other_id]
    assert officer.search(owner.get(case_id)["reference"]) == []
    for channel in _channels(world, case_id, officer):
        with pytest.raises(NotVisible):
            channel()
    # What was learnt is kept.
    officer.fences = {}
    with pytest.raises(NotVisible):
        officer.get(case_id, "task")


@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_missing_case_is_missing_under_fences_too(world: World, all_of_them: bool) -> None:
    stranger = world.person("B")
    stranger.fences = "all" if all_of_them else {"gone": 7}
    case_id = world.person().create()["id"]
    for asked in ("gone", case_id):
        with pytest.raises(NotVisible):
            stranger.get(asked)


def test_a_grant_that_only_sharing_has_is_in_the_list_at_once(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    acl = world.decided(case_id, given(officer))
    assert officer.listed() == []
    officer.fences = {case_id: acl.epoch}
    assert officer.listed() == [case_id]
    assert officer.get(case_id, "task")["id"] == case_id


def test_without_the_authority_a_case_behind_its_fence_is_refused_and_others_are_not(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id, other_id = owner.create()["id"], owner.create()["id"]
    world.share(case_id, given(officer))
    world.share(other_id, given(officer))
    acl = world.decided(case_id)
    officer.fences = {case_id: acl.epoch}
    world.authority.pause()
    try:
        assert officer.get(other_id, "task")["id"] == other_id
        for channel in (lambda: officer.get(case_id, "task"), officer.listed, lambda: officer.note(case_id)):
            with pytest.raises(Unavailable):
                channel()
    finally:
        world.authority.resume()
    assert officer.listed() == [other_id]


def test_a_fence_that_the_authority_does_not_reach_refuses(world: World) -> None:
    owner = world.person()
    case_id = owner.create()["id"]
    owner.fences = {case_id: 99}
    with pytest.raises(Unavailable):
        owner.get(case_id)


def test_lists_are_replaced_by_newer_ones_only(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    old = world.share(case_id, given(officer))
    new = world.share(case_id)
    (stored,) = world.apply(old).items
    assert (stored.case_id, stored.term, stored.epoch) == (case_id, new.term, new.epoch)
    with pytest.raises(NotVisible):
        officer.get(case_id)
    later_term = old.model_copy(update={"term": 2, "epoch": 1})
    (stored,) = world.apply(later_term).items
    assert (stored.term, stored.epoch) == (2, 1)
    assert officer.get(case_id, "task")["id"] == case_id
    assert world.apply(old.model_copy(update={"case_id": "unknown"})).items == ()


def test_only_sharing_may_say_who_sees_what(world: World) -> None:
    owner = world.person()
    acl = world.acl(owner.create()["id"])
    from services.contracts.authority import ApplyAccessLists

    with pytest.raises(Refused):
        world.calling.ask("cases.apply_acl", ApplyAccessLists(lists=(acl,)), key=uuid.uuid4().hex)
    with pytest.raises(Refused):
        world.calling.ask("cases.cases_known", GetCasesKnown(case_ids=(acl.case_id,)))
    known: CasesKnown = world.sharing.ask(
        "cases.cases_known", GetCasesKnown(case_ids=(acl.case_id, "none")), reply=CasesKnown
    )
    assert known.case_ids == (acl.case_id,)


def test_whoever_has_a_conflict_of_interest_knows_of_nothing(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer), excluded=(officer.id,))
    assert officer.listed() == []
    for channel in _channels(world, case_id, officer):
        with pytest.raises(NotVisible):
            channel()


def test_lists_read_little_more_than_they_show(world: World) -> None:
    """On 10,000 cases, of which 40 name the reader: through a team and by herself."""
    from pymongo import DESCENDING

    from services.cases.stores.cases import Wanted, _query

    owner, reader = world.person(), world.person("B", "team-b")
    row = world.cases["cases"].find_one({"_id": owner.create()["id"]})
    assert row is not None
    rows = [
        {
            **row,
            "_id": f"{number:06}",
            "reference": f"C-{number}",
            "readers": sorted({"u:x", f"u:{reader.id}" if number % 500 == 0 else "u:y"}
                              | ({"t:team-b"} if number % 500 in (0, 250) else set())),
            "owner_user": "x",
            "status": "open" if number % 1000 < 500 else "review",
        }
        for number in range(10_000)
    ]  # fmt: skip
    world.cases["cases"].insert_many(rows)
    try:
        keys = (f"u:{reader.id}", "t:team-b")
        for wanted, shown in (
            (Wanted(keys, reader.id), 25),
            (Wanted(keys, reader.id, mine="shared", status="review"), 20),
            (Wanted(keys, "x", mine="owned"), 25),
        ):
            query = _query(wanted, None)
            plan = world.cases["cases"].find(query).sort("_id", DESCENDING).limit(25).explain()
            stats = plan["executionStats"]
            assert stats["nReturned"] == shown
            assert stats["totalDocsExamined"] <= 3 * shown, plan["queryPlanner"]["winningPlan"]
            assert stats["totalKeysExamined"] <= 200
    finally:
        world.cases["cases"].delete_many({"owner_user": "x"})


def test_pages_of_contents_begin_where_the_last_ended(world: World) -> None:
    """Deep in a long timeline and in a long list of tasks."""
    from services.cases.stores.entries import EntryStore
    from services.cases.stores.tasks import TaskStore

    owner = world.person()
    case_id = owner.create()["id"]
    entry, task = owner.note(case_id), owner.task(case_id, user_id=owner.id)
    base = world.cases["entries"].find_one({"_id": entry["id"]})
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {**base, "_id": f"e{n:05}", "body": {**base["body"], "occurred_at": at + timedelta(minutes=n // 2)}}
        for n in range(3000)
    ]
    world.cases["entries"].insert_many(rows)
    base = world.cases["tasks"].find_one({"_id": task["id"]})
    first = date(2026, 1, 1)
    days = [
        {**base, "_id": f"t{n:05}", "due_on": (first + timedelta(days=n // 4)).isoformat()}
        for n in range(3000)
    ]
    world.cases["tasks"].insert_many(days)
    commands = list[dict[str, Any]]()

    class Listening(CommandListener):
        def started(self, event: CommandStartedEvent) -> None:
            if event.command_name == "find":
                commands.append({name: event.command[name] for name in ("find", "filter", "sort", "limit")})

        def succeeded(self, event: object) -> None: ...

        def failed(self, event: object) -> None: ...

    client: MongoClient[dict[str, Any]] = MongoClient(
        world.mongo_url, event_listeners=[Listening()], tz_aware=True
    )
    with client:
        database = client["cases"]
        entries, tasks = EntryStore(database), TaskStore(database)
        place = (at + timedelta(minutes=750), "e01500")
        assert [one.id for one in entries.listed(case_id, owner.agency_id, place, 3)] == [
            "e01499",
            "e01498",
            "e01497",
        ]
        found = tasks.listed(case_id, None, None, (days[1260]["due_on"], "t01260"), 3)
        assert [one.id for one in found] == ["t01261", "t01262", "t01263"]
        found = tasks.assigned(
            [f"u:{owner.id}"], ["offered", "accepted"], (days[1495]["due_on"], "t01495"), 6
        )
        assert [one.id for one in found] == [f"t{n:05}" for n in range(1496, 1502)]
        for command in list(commands):
            stats = database.command("explain", command, verbosity="executionStats")["executionStats"]
            assert stats["totalDocsExamined"] <= 3 * command["limit"], stats
            assert stats["totalKeysExamined"] <= 5 * command["limit"], stats


def test_a_case_registered_but_never_opened_is_nowhere(world: World) -> None:
    owner = world.person()
    with pytest.raises(NotVisible):
        owner.get("registered-only")
    assert owner.ask("list_cases", cases.ListCases())["items"] == []
