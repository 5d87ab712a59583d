"""Writing to a case: fields, status, entries, tasks; each with one version, one event and one record."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.cases import cases
from services.contracts.errors import (
    AssigneeWithoutAccess,
    CaseClosed,
    IdempotencyKeyReused,
    IfMatchRequired,
    Invalid,
    InvalidTransition,
    LevelTooLow,
    NotOwner,
    NotVisible,
    Refused,
    Stale,
)
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.cases_world import World, given, without, working


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with working(parts, calling, tmp_path_factory.mktemp("cases")) as world:
        yield world


def test_each_command_takes_one_version_and_emits_one_event(world: World) -> None:
    owner = world.person()
    case = owner.create()
    entry = owner.note(case["id"])
    entry = owner.revise(case["id"], entry, text="Very quiet")
    owner.withdraw(case["id"], entry["id"])
    task = owner.task(case["id"], user_id=owner.id)
    task = owner.move_task(task, due_on="2027-02-01")
    task = owner.move_task(task, state="accepted")
    owner.move_task(task, state="done", outcome="Called")
    owner.patch(case["id"], owner.get(case["id"])["etag"], title="Louder noise")
    owner.move(case["id"], "action")
    owner.move(case["id"], "closed")
    owner.move(case["id"], "open")
    events = world.events(case["id"])
    assert [one.type for one in events] == [
        "case.created", "entry.added", "entry.revised", "entry.withdrawn", "task.offered", "case.updated",
        "task.accepted", "task.done", "case.updated", "case.updated", "case.closed", "case.reopened",
    ]  # fmt: skip
    assert [one.number for one in events] == list(range(1, 13))
    assert world.version(case["id"]) == 12
    assert events[1].data == {
        "case_id": case["id"],
        "entry_id": entry["id"],
        "section": "timeline",
        "withheld_from": [],
        "actor_id": owner.id,
        "agency_id": owner.agency_id,
    }
    assert events[4].data["assignee"] == f"u:{owner.id}"


def test_a_repeated_command_takes_effect_once_and_is_answered_by_a_read(world: World) -> None:
    owner = world.person()
    key = uuid.uuid4().hex
    first = owner.create(key)
    world.recorded()
    again = owner.create(key)
    assert without(again, "disclosed") == without(first, "disclosed")
    (record,) = world.recorded()
    assert (record.action, again["disclosed"]["entry_id"]) == ("case.read", record.id)
    with pytest.raises(IdempotencyKeyReused):
        owner.create(key, title="Another")
    key = uuid.uuid4().hex
    now = datetime.now(UTC)
    entry = owner.note(first["id"], key=key, occurred_at=now)
    assert without(owner.note(first["id"], key=key, occurred_at=now), "disclosed") == without(
        entry, "disclosed"
    )
    assert owner.get(first["id"])["counts"]["entries"] == 1


def test_a_repetition_is_judged_anew(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer))
    key, now = uuid.uuid4().hex, datetime.now(UTC)
    officer.note(case_id, key=key, occurred_at=now)
    officer.note(case_id, key=key, occurred_at=now)
    world.share(case_id)
    with pytest.raises(NotVisible):
        officer.note(case_id, key=key, occurred_at=now)


def test_a_write_is_recorded_once_with_the_version_that_it_made(world: World) -> None:
    owner = world.person()
    case_id = owner.create()["id"]
    world.recorded()
    entry = owner.note(case_id)
    (record,) = world.recorded()
    assert record.id == entry["disclosed"]["entry_id"]
    assert (record.action, record.outcome, record.operation) == ("entry.add", "done", "collection")
    assert record.objects[0].version == 2
    assert record.objects[1].id == entry["id"]


def test_a_change_needs_the_etag_of_what_its_caller_saw(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer, level="manage", sections=("summary",)))
    seen = officer.get(case_id, "task")
    with pytest.raises(IfMatchRequired):
        officer.patch(case_id, None, title="X")
    owner.note(case_id)  # nothing that the officer may see
    assert officer.get(case_id)["etag"] == seen["etag"]
    patched = officer.patch(case_id, seen["etag"], title="New title", summary=None)
    assert (patched["title"], "summary" in patched) == ("New title", False)
    assert patched["etag"] == officer.get(case_id)["etag"]
    with pytest.raises(Stale) as stale:
        officer.patch(case_id, seen["etag"], title="Newer")
    assert stale.value.etag == patched["etag"]
    assert officer.search("newer") == []
    version = world.version(case_id)
    officer.patch(case_id, patched["etag"], title="New title")
    assert world.version(case_id) == version


def test_levels_say_who_may_change_what(world: World) -> None:
    owner, reader, writer, manager = world.person(), *(world.person("B") for _ in range(3))
    case_id = owner.create()["id"]
    world.share(
        case_id,
        given(reader, level="read"),
        given(writer, level="contribute", sections=("timeline",)),
        given(manager, level="manage"),
    )
    with pytest.raises(LevelTooLow):
        reader.note(case_id)
    writer.note(case_id)
    with pytest.raises(LevelTooLow):
        writer.task(case_id, user_id=owner.id)
    with pytest.raises(LevelTooLow):
        writer.patch(case_id, "x", title="X")
    manager.move(case_id, "plan")
    with pytest.raises(NotOwner):
        manager.move(case_id, "closed")
    owner.move(case_id, "closed")
    with pytest.raises(NotOwner):
        manager.move(case_id, "open")
    with pytest.raises(NotVisible):
        world.person("C").note(case_id)


def test_a_closed_case_takes_no_writes_until_it_is_opened_again(world: World) -> None:
    owner = world.person()
    case = owner.create()
    entry, task = owner.note(case["id"]), owner.task(case["id"], user_id=owner.id)
    owner.move(case["id"], "closed")
    etag = owner.get(case["id"])["etag"]
    for write in (
        lambda: owner.note(case["id"]),
        lambda: owner.revise(case["id"], entry, text="X"),
        lambda: owner.withdraw(case["id"], entry["id"]),
        lambda: owner.task(case["id"], user_id=owner.id),
        lambda: owner.move_task(task, state="accepted"),
        lambda: owner.patch(case["id"], etag, title="X"),
    ):
        with pytest.raises(CaseClosed):
            write()
    for status in ("action", "closed"):
        with pytest.raises(InvalidTransition):
            owner.move(case["id"], status)
    assert owner.move(case["id"], "open")["status"] == "open"
    with pytest.raises(InvalidTransition):
        owner.move(case["id"], "open")


def test_subjects_are_those_of_the_callers_teams(world: World) -> None:
    team = uuid.uuid4().hex
    owner, other = world.person("A", team), world.person("A", uuid.uuid4().hex)

    def put(who: object, case_id: str, subject_id: str, etag: str, role: str = "victim") -> dict[str, object]:
        request = cases.PutCaseSubject(
            case_id=case_id, subject_id=subject_id, if_match=etag, subject=cases.CaseSubjectBody(role=role)
        )
        return who.tell("put_case_subject", request)  # type: ignore[attr-defined, no-any-return]

    ours, theirs = _subject(world, owner), _subject(world, other)
    with pytest.raises(Invalid) as invalid:
        owner.create(
            subjects=[{"subject_id": ours, "role": "victim"}, {"subject_id": theirs, "role": "witness"}]
        )
    assert [one.pointer for one in invalid.value.errors] == ["/subjects/1/subject_id"]
    case = owner.create(subjects=[{"subject_id": ours, "role": "victim"}])
    (there,) = case["subjects"]
    assert there == {"subject": {"id": ours, "name": "Ada Stone"}, "kind": "person", "role": "victim"}
    with pytest.raises(NotVisible):
        put(owner, case["id"], theirs, case["etag"])
    moved = put(owner, case["id"], ours, case["etag"], "witness")
    assert moved["subjects"][0]["role"] == "witness"  # type: ignore[index]
    with pytest.raises(Stale):
        put(owner, case["id"], ours, case["etag"])
    owner.note(case["id"], subject_ids=(ours,))
    with pytest.raises(Invalid):
        owner.note(case["id"], subject_ids=(theirs,))
    owner.tell("remove_case_subject", cases.RemoveCaseSubject(case_id=case["id"], subject_id=ours))
    assert owner.get(case["id"])["subjects"] == []
    with pytest.raises(NotVisible):
        owner.tell("remove_case_subject", cases.RemoveCaseSubject(case_id=case["id"], subject_id=ours))
    with pytest.raises(Invalid) as invalid:
        owner.create(owner_team_id="not-mine")
    assert invalid.value.errors[0].pointer == "/owner_team_id"


def _subject(world: World, who: object) -> str:
    from services.contracts.cases import subjects

    body = subjects.SubjectBody.model_validate(
        {
            "kind": "person",
            "team_id": who.team_ids[0],  # type: ignore[attr-defined]
            "names": [{"given": "Ada", "family": "Stone", "type": "legal"}],
        }
    )
    return str(who.tell("create_subject", subjects.CreateSubject(subject=body))["id"])  # type: ignore[attr-defined]


# --- entries ---


def test_an_entry_is_corrected_in_the_open_and_withdrawn_without_trace_of_its_words(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer))
    entry = officer.note(case_id, "First")
    assert entry["author"]["id"] == officer.id
    assert entry["agency"]["id"] == "B"
    with pytest.raises(Refused):
        owner.revise(case_id, owner.entry(case_id, entry["id"]), text="Mine")
    revised = officer.revise(case_id, entry, text="Second")
    assert revised["revisions"][0]["text"] == "First"
    assert revised["revision"] == 1
    with pytest.raises(Stale):
        officer.revise(case_id, entry, text="Third")
    colleague = world.person("B")
    world.share(case_id, given(officer, colleague))
    colleague.withdraw(case_id, entry["id"])
    found = owner.entry(case_id, entry["id"])
    assert found["withdrawn"]["reason"] == "Wrong case"
    assert not {"text", "revisions", "subject_ids"} & found.keys()
    assert owner.texts(case_id) == [None]
    with pytest.raises(InvalidTransition):
        officer.withdraw(case_id, entry["id"])


def test_a_withheld_entry_does_not_exist_for_the_agency(world: World) -> None:
    owner, officer, probation = world.person("A"), world.person("B"), world.person("C")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer), given(probation))
    owner.note(case_id, "For all")
    before = officer.get(case_id, "task"), officer.list()["items"][0]
    secret = owner.note(case_id, "Not for B", withhold_from=("B",))
    assert secret["withhold_from"] == ["B"]
    after = officer.get(case_id), officer.list()["items"][0]
    assert without(before[0], "disclosed") == without(after[0], "disclosed")
    assert without(before[1], "unread") == without(after[1], "unread")
    assert officer.texts(case_id) == ["For all"]
    with pytest.raises(NotVisible):
        officer.entry(case_id, secret["id"])
    assert probation.get(case_id, "task")["counts"]["entries"] == 2
    assert probation.texts(case_id) == ["Not for B", "For all"]
    assert "withhold_from" not in probation.entry(case_id, secret["id"])
    owner.revise(case_id, secret, text="Still not for B")
    assert officer.get(case_id)["etag"] == after[0]["etag"]
    assert world.events(case_id)[-1].data["withheld_from"] == ["B"]
    for wrong in ("A", "C"):
        with pytest.raises(Invalid) as invalid:
            probation.note(case_id, withhold_from=(wrong,))
        assert invalid.value.errors[0].pointer == "/withhold_from/0"


def test_a_timeline_is_paged_and_filtered_by_when_it_happened(world: World) -> None:
    owner, officer, blind = world.person("A"), world.person("B"), world.person("C")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer), given(blind, sections=("summary",)))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in (2, 0, 1):
        owner.note(case_id, str(number), occurred_at=start + timedelta(days=number))
    officer.note(case_id, "report", type="incident_report", channel="101", occurred_at=start)
    first = owner.timeline(case_id, limit=2)
    second = owner.timeline(case_id, limit=2, cursor=first["next"])
    assert [one["text"] for one in first["items"] + second["items"]] == ["2", "1", "report", "0"]
    assert second["next"] is None
    assert owner.texts(case_id, type="incident_report") == ["report"]
    assert owner.texts(case_id, agency_id="A") == ["2", "1", "0"]
    assert blind.timeline(case_id, "task")["items"] == []
    with pytest.raises(NotVisible):
        blind.entry(case_id, first["items"][0]["id"], "task")
    with pytest.raises(NotVisible):
        owner.entry(owner.create()["id"], first["items"][0]["id"])


def test_interventions_are_told_whole(world: World) -> None:
    owner = world.person()
    case_id = owner.create()["id"]
    done = {"kind": "Visit", "responsible_user_id": None, "outcome": None, "ended_at": datetime.now(UTC)}
    entry = owner.note(case_id, type="intervention", intervention=done)
    assert entry["intervention"].keys() == done.keys()
    assert without(owner.entry(case_id, entry["id"]), "disclosed") == without(entry, "disclosed")
    with pytest.raises(Invalid):
        owner.note(case_id, intervention=done)


def test_writers_at_once_each_get_a_version_of_their_own(world: World) -> None:
    owner = world.person()
    case_id = owner.create()["id"]
    with ThreadPoolExecutor(8) as pool:
        withheld = [("B",), ("C",), ()] * 4
        list(pool.map(lambda one: owner.note(case_id, withhold_from=one), withheld))
    assert [one.number for one in world.events(case_id)] == list(range(1, 14))
    assert owner.get(case_id)["counts"]["entries"] == 12
    row = world.cases["cases"].find_one({"_id": case_id})
    assert row is not None
    assert sorted((one["agencies"], one["count"]) for one in row["withheld"]) == [(["B"], 4), (["C"], 4)]


# --- tasks ---


def test_a_task_goes_only_to_whom_may_see_it(world: World) -> None:
    owner, officer, stranger = world.person(), world.person("B"), world.person("C")
    clerk = world.person("B", roles=("agency_admin",))
    team = world.team("D")
    member = world.person("D", team)
    case_id = owner.create()["id"]
    world.share(
        case_id,
        given(officer, clerk, level="task", sections=()),
        given(member, level="know").model_copy(update={"user_ids": (), "team_ids": (team,)}),
    )
    world.recorded()
    for assignee in (
        {"user_id": stranger.id},
        {"team_id": team},
        {"user_id": "nobody"},
        {"user_id": team},
        {"user_id": clerk.id},
    ):
        with pytest.raises(AssigneeWithoutAccess) as problem:
            owner.task(case_id, **assignee)
        assert problem.value.errors[0].pointer == "/assignee"
    task = owner.task(case_id, user_id=officer.id)
    assert task["state"] == "offered"
    assert task["assignee"] == {"user_id": officer.id, "name": f"Name of {officer.id[:4]}"}
    world.disable(officer)
    with pytest.raises(AssigneeWithoutAccess):
        owner.task(case_id, user_id=officer.id)
    with pytest.raises(NotVisible):
        stranger.task(case_id, user_id=stranger.id)


def test_at_level_task_one_sees_and_moves_ones_own_alone(world: World) -> None:
    owner, helper, light = world.person(), world.person("B"), world.person("B", roles=("light_participant",))
    case_id = owner.create()["id"]
    world.share(case_id, given(helper, level="task"), given(light, level="contribute"))
    mine, theirs = owner.task(case_id, user_id=helper.id), owner.task(case_id, days=1, user_id=light.id)
    assert [one["id"] for one in owner.tasks_of(case_id)] == [theirs["id"], mine["id"]]
    assert [one["id"] for one in helper.tasks_of(case_id, "task")] == [mine["id"]]
    assert [one["id"] for one in light.tasks_of(case_id, "task")] == [theirs["id"]]
    assert [one["id"] for one in light.my_tasks()["items"]] == [theirs["id"]]
    with pytest.raises(NotVisible):
        helper.get_task(case_id, theirs["id"])
    task = helper.get_task(case_id, mine["id"])
    assert task["may"] == ["accepted", "declined"]
    with pytest.raises(InvalidTransition):
        helper.move_task(task, state="done")
    task = helper.move_task(task, state="accepted")
    with pytest.raises(LevelTooLow):
        helper.move_task(task, due_on="2027-03-01")
    with pytest.raises(LevelTooLow):
        helper.move_task(task, state="cancelled", reason="No")
    assert helper.move_task(task, state="done", outcome="Called")["outcome"] == "Called"
    with pytest.raises(Refused):
        owner.move_task(owner.get_task(case_id, theirs["id"]), state="accepted")
    with pytest.raises(Invalid):
        owner.move_task(owner.get_task(case_id, theirs["id"]), state="cancelled")
    owner.move_task(owner.get_task(case_id, theirs["id"]), state="cancelled", reason="Not needed")
    assert owner.get(case_id)["counts"]["tasks_open"] == 0
    assert light.my_tasks()["items"] == []
    assert [one["state"] for one in light.my_tasks(state="cancelled")["items"]] == ["cancelled"]


def test_my_tasks_are_those_in_cases_that_i_may_see_now(world: World) -> None:
    team = world.team("B")
    owner, officer = world.person(), world.person("B", team)
    ids = [owner.create()["id"] for _ in range(3)]
    for day, case_id in enumerate(ids):
        share = given(officer).model_copy(update={"team_ids": (team,)})
        world.share(case_id, share)
        owner.task(case_id, days=-day, **({"team_id": team} if day else {"user_id": officer.id}))
    world.recorded()
    page = officer.my_tasks(limit=2)
    (record,) = world.recorded()
    told = {one.id: one.sections for one in record.objects if one.type == "case"}
    assert told == {ids[2]: ("tasks",), ids[1]: ("tasks",)}
    assert [one["case"]["id"] for one in page["items"]] == [ids[2], ids[1]]
    assert [one["case"]["id"] for one in officer.my_tasks(cursor=page["next"])["items"]] == [ids[0]]
    # Committed by `sharing`, and not yet known here but for the fence.
    world.decided(ids[1])
    officer.fences = {ids[1]: world.acl(ids[1]).epoch}
    assert [one["case"]["id"] for one in officer.my_tasks()["items"]] == [ids[2], ids[0]]


def test_tasks_of_those_who_lose_access_go_back_to_the_owner(world: World) -> None:
    owner, officer, stays = world.person(), world.person("B"), world.person("C")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer), given(stays))
    task = owner.task(case_id, user_id=officer.id)
    officer.move_task(officer.get_task(case_id, task["id"], "task"), state="accepted")
    other = owner.task(case_id, user_id=stays.id)
    version = world.version(case_id)
    world.recorded()
    world.share(case_id, given(stays))
    back = owner.get_task(case_id, task["id"])
    assert back["assignee"] == {"user_id": owner.id, "name": "Owner"}
    assert back["state"] == "offered"
    assert owner.get_task(case_id, other["id"])["assignee"]["user_id"] == stays.id
    assert world.version(case_id) == version + 1
    event = world.events(case_id)[-1]
    assert (event.type, event.number, event.data["assignee"]) == (
        "task.offered",
        version + 1,
        f"u:{owner.id}",
    )
    assert "task.give_back" in [record.action for record in world.recorded()]
    # Said again, or learnt by a fence before: once.
    world.apply(world.acl(case_id))
    assert world.version(case_id) == version + 1


def test_tasks_go_back_also_when_a_read_learnt_of_the_list_first(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer))
    task = owner.task(case_id, user_id=officer.id)
    acl = world.decided(case_id)
    owner.fences = {case_id: acl.epoch}
    owner.get(case_id)
    assert owner.get_task(case_id, task["id"])["assignee"]["user_id"] == officer.id
    world.apply(acl)
    assert owner.get_task(case_id, task["id"])["assignee"]["user_id"] == owner.id
