"""Who sees what of a case, in one, in lists, in searches; on the real broker and database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.cases import cases
from services.contracts.errors import (
    LevelTooLow,
    Malformed,
    NotOwner,
    NotVisible,
    ReasonRequired,
    RoleRequired,
)
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.cases_world import SECTIONS, World, given, working
from tests.waiting import until


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with working(parts, calling, tmp_path_factory.mktemp("cases")) as world:
        yield world


def test_the_owner_reads_what_it_wrote_as_the_api_says_it(world: World) -> None:
    owner = world.person()
    created = owner.create()
    found = owner.get(created["id"])
    assert found.keys() == {
        "id", "reference", "template", "title", "status", "priority", "marking", "owner", "created_at",
        "updated_at", "my_access", "summary", "subjects", "counts", "etag", "disclosed",
    }  # fmt: skip
    assert found["owner"] == {
        "user": {"id": owner.id, "name": "Owner"},
        "agency": {"id": owner.agency_id, "name": "Agency"},
        "team": None,
    }
    assert found["my_access"]["via"] == "owner"
    assert found["my_access"]["level"] == "manage"
    assert found["my_access"]["until"] is None
    assert "share_id" not in found["my_access"]
    assert {"add_entry", "share_case", "move_case"} <= set(found["my_access"]["may"])
    assert found["counts"] == {"entries": 0, "tasks_open": 0}
    assert found["status"] == "open"
    assert found["etag"] == created["etag"]
    assert found["disclosed"]["entry_id"] != created["disclosed"]["entry_id"]


def test_a_stranger_is_told_what_is_told_of_a_case_that_does_not_exist(world: World) -> None:
    owner, stranger, colleague = world.person("A"), world.person("B"), world.person("A")
    case_id = owner.create()["id"]
    world.recorded()
    for who, asked in ((stranger, case_id), (colleague, case_id), (stranger, "none")):
        with pytest.raises(NotVisible):
            who.get(asked)
        (record,) = world.recorded()
        assert (record.outcome, record.code, record.objects[0].id) == ("refused", "not_found", asked)
        assert record.objects[0].agency_id == (None if asked == "none" else "A")


def test_one_answer_has_one_record_with_its_version_and_sections(world: World) -> None:
    owner, officer = world.person("police"), world.person("housing")
    case_id = owner.create()["id"]
    share = given(officer, level="read", sections=("summary", "timeline"))
    world.share(case_id, share)
    world.recorded()
    found = officer.get(case_id, "safeguarding")
    (record,) = world.recorded()
    assert found["disclosed"]["entry_id"] == record.id
    assert record.objects[0].version == world.version(case_id)
    assert set(record.objects[0].sections) == set(found["my_access"]["sections"]) == {"summary", "timeline"}
    assert (record.outcome, record.how, record.reason) == ("shown", "opened", "safeguarding")
    assert record.objects[0].agency_id == "police"
    assert "subjects" not in found
    assert found["my_access"]["share_id"] == share.id


def test_below_read_a_case_is_its_reference_and_whom_to_ask(world: World) -> None:
    owner, contact, helper = world.person(), world.person("B"), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(contact, level="know"), given(helper, level="task"))
    for who in (contact, helper):
        found = who.get(case_id, "task")
        assert found.keys() == {"id", "reference", "owner", "my_access", "etag", "disclosed"}
        assert found["my_access"]["sections"] == []
        (item,) = who.list()["items"]
        assert item.keys() == {"id", "reference", "owner", "my_access"}
        assert who.listed(status="open") == []
        assert who.search("noise") == []
        assert who.search(found["reference"]) == [case_id]
        with pytest.raises(LevelTooLow):
            who.timeline(case_id)


def test_a_person_from_another_agency_says_why_once_a_session(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer))
    assert officer.listed() == [case_id]
    with pytest.raises(ReasonRequired):
        officer.get(case_id)
    with pytest.raises(ReasonRequired):
        officer.timeline(case_id)
    world.recorded()
    officer.get(case_id, "meeting")
    officer.get(case_id)
    officer.timeline(case_id)
    assert [record.reason for record in world.recorded()] == ["meeting"] * 3
    officer.session_id = uuid.uuid4().hex
    with pytest.raises(ReasonRequired):
        officer.get(case_id)
    with pytest.raises(NotVisible):
        world.person("C").get(case_id)


def test_a_client_reads_in_its_scope_and_gives_no_reason(world: World) -> None:
    owner = world.person()
    client = world.person("B", kind="client", roles=(), scopes=("cases:read",), accountable_id="somebody")
    case_id = owner.create()["id"]
    world.share(case_id, given(client))
    assert client.get(case_id)["title"] == "Noise at night"
    assert client.listed() == [case_id]
    with pytest.raises(RoleRequired):
        client.note(case_id)
    client.scopes = ("cases:write",)
    client.note(case_id)
    with pytest.raises(RoleRequired):
        client.get(case_id)


def test_a_client_opens_a_case_for_its_accountable_person(world: World) -> None:
    owner = world.person()
    client = world.person(
        owner.agency_id,
        kind="client",
        roles=(),
        scopes=("cases:read", "cases:write"),
        accountable_id=owner.id,
    )
    created = client.create()
    assert created["owner"]["user"]["id"] == owner.id
    assert created["my_access"]["via"] == "share"
    assert owner.get(created["id"])["my_access"]["via"] == "owner"


def test_what_roles_forbid_is_said_only_of_what_may_be_known(world: World) -> None:
    owner, light = world.person(), world.person("B", roles=("light_participant",))
    case_id = owner.create()["id"]
    with pytest.raises(NotVisible):
        light.get(case_id)
    world.share(case_id, given(light))
    with pytest.raises(RoleRequired):
        light.get(case_id)
    with pytest.raises(RoleRequired):
        light.list()


def test_victims_are_hidden_from_the_perpetrators_side(world: World) -> None:
    owner, probation, housing = world.person("A", "T"), world.person("B"), world.person("C")
    victim, suspect = "victim-1", "suspect-1"
    case_id = owner.create()["id"]
    rows = [
        {"id": victim, "name": "V", "kind": "person", "role": "victim"},
        {"id": suspect, "name": "S", "kind": "person", "role": "offender"},
    ]
    world.cases["cases"].update_one({"_id": case_id}, {"$set": {"subjects": rows}})
    owner.note(case_id, "Both met", subject_ids=(victim, suspect))
    world.share(case_id, given(probation, side="perpetrator"), given(housing))
    for who, ids in ((owner, [victim, suspect]), (housing, [victim, suspect]), (probation, [suspect])):
        found = who.get(case_id, "meeting", include=("entries",))
        assert [one["subject"]["id"] for one in found["subjects"]] == ids
        assert found["entries"]["items"][0]["subject_ids"] == ids


def test_lists_page_without_repeating_and_filter(world: World) -> None:
    owner = world.person()
    ids = [owner.create(template="iom" if number == 2 else "vemt")["id"] for number in range(5)]
    first = owner.list(limit=2)
    second = owner.list(limit=2, cursor=first["next"])
    third = owner.list(limit=2, cursor=second["next"])
    paged = [one["id"] for page in (first, second, third) for one in page["items"]]
    assert paged == ids[::-1]
    assert third["next"] is None
    assert owner.listed(template="iom") == [ids[2]]
    assert owner.listed(status="closed") == []
    assert owner.listed(agency_id="elsewhere") == []
    assert owner.listed(mine="shared") == []
    assert owner.listed(changed_since=datetime.now(UTC) + timedelta(hours=1)) == []
    owner.note(ids[0])
    with pytest.raises(Malformed):
        owner.list(cursor="bm9uc2Vuc2U=")


def test_owned_and_shared_are_told_apart(world: World) -> None:
    one, other = world.person("A"), world.person("B")
    mine, theirs = one.create()["id"], other.create()["id"]
    world.share(theirs, given(one))
    assert one.listed() == [theirs, mine]
    assert one.listed(mine="owned") == [mine]
    assert one.listed(mine="shared") == [theirs]
    assert one.listed(agency_id="B") == [theirs]


def test_a_team_sees_what_its_team_was_given(world: World) -> None:
    team = uuid.uuid4().hex
    owner, colleague = world.person("A", team), world.person("A", team)
    case_id = owner.create(owner_team_id=team)["id"]
    assert colleague.listed() == [case_id]
    found = colleague.get(case_id)
    assert (found["my_access"]["via"], found["my_access"]["level"]) == ("team", "contribute")
    assert found["owner"]["team"]["id"] == team


def test_a_list_is_one_record_with_each_of_its_cases(world: World) -> None:
    owner = world.person()
    ids = [owner.create()["id"] for _ in range(3)]
    world.recorded()
    page = owner.list()
    (record,) = world.recorded()
    assert page["disclosed"]["entry_id"] == record.id
    assert [one.id for one in record.objects] == ids[::-1]
    assert record.how == "listed"


def test_unread_is_what_changed_since_it_was_opened(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    world.share(case_id, given(officer, sections=("summary", "timeline")))

    def unread(who: object) -> bool:
        return bool(who.list()["items"][0]["unread"])  # type: ignore[attr-defined]

    assert not unread(owner)
    assert unread(officer)
    officer.get(case_id, "task")
    assert not unread(officer)
    owner.note(case_id)
    assert unread(officer)
    until(lambda: not unread(owner))
    officer.get(case_id)
    owner.task(case_id, user_id=owner.id)
    assert not unread(officer)  # tasks are not granted
    assert officer.list()["items"][0]["next_due"] is None
    assert owner.list()["items"][0]["next_due"] == "2027-01-08"


def test_a_search_finds_words_that_the_reader_may_read(world: World) -> None:
    owner, reader, blind = world.person(), world.person("B"), world.person("B")
    word = f"zebra{uuid.uuid4().hex[:8]}"
    case_id = owner.create(title="Crossing guard", summary=f"A {word} was seen")["id"]
    world.share(case_id, given(reader), given(blind, sections=("timeline",)))
    assert owner.search(f"{word[:9]} cross") == [case_id]
    assert reader.search(word) == [case_id]
    assert blind.search(word) == []
    assert blind.search("crossing") == [case_id]
    assert world.person("C").search(word) == []
    reference = owner.get(case_id)["reference"]
    assert owner.search(reference.lower().replace("-", " ")) == [case_id]
    assert world.person("C").search(reference) == []
    assert owner.search("!") == []


def test_a_page_of_the_case_is_one_call_and_one_record(world: World) -> None:
    owner = world.person()
    case_id = owner.create()["id"]
    entry, task = owner.note(case_id), owner.task(case_id, user_id=owner.id)
    plain = owner.get(case_id)
    world.recorded()
    page = owner.get(case_id, include=("entries", "tasks"))
    (record,) = world.recorded()
    assert [one["id"] for one in page["entries"]["items"]] == [entry["id"]]
    assert [one["id"] for one in page["tasks"]["items"]] == [task["id"]]
    assert page["etag"] == plain["etag"]
    assert {one.id for one in record.objects} == {case_id, entry["id"], task["id"]}


def test_the_owner_sees_what_a_share_would_show(world: World) -> None:
    owner, officer = world.person(), world.person("B")
    case_id = owner.create()["id"]
    owner.note(case_id, "For all")
    owner.note(case_id, "Not for B", withhold_from=("B",))
    share = cases.PreviewedShare(agency_id="B", level="read", sections=("summary", "timeline"))
    view = owner.ask("preview_case", cases.PreviewCase(case_id=case_id, share=share))
    assert [one["text"] for one in view["entries"]["items"]] == ["For all"]
    assert view["counts"] == {"entries": 1, "tasks_open": 0}
    assert "subjects" not in view
    knows = cases.PreviewedShare(agency_id="B", level="know", sections=SECTIONS)
    view = owner.ask("preview_case", cases.PreviewCase(case_id=case_id, share=knows))
    assert "title" not in view
    assert view["entries"]["items"] == []
    world.share(case_id, given(officer, level="manage"))
    with pytest.raises(NotOwner):
        officer.ask("preview_case", cases.PreviewCase(case_id=case_id, share=share))


def test_what_a_preview_shows_is_the_version_that_is_recorded_also_while_the_case_changes(
    world: World,
) -> None:
    owner = world.person()
    made = owner.create(title="0")
    case_id, changes = made["id"], 60
    first = world.version(case_id)
    share = cases.PreviewedShare(agency_id="B", level="read", sections=SECTIONS)

    def change() -> None:
        etag = made["etag"]
        for number in range(1, changes + 1):
            etag = owner.patch(case_id, etag, title=str(number))["etag"]

    shown: dict[str, int] = {}
    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        while not changing.done():
            view = owner.ask("preview_case", cases.PreviewCase(case_id=case_id, share=share))
            shown[view["disclosed"]["entry_id"]] = first + int(view["title"])
        changing.result()
    recorded = {one.id: one.objects[0].version for one in world.recorded()}
    assert len(set(shown.values())) > 1
    assert shown == {entry_id: recorded[entry_id] for entry_id in shown}
