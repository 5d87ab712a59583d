"""Inbox and live stream: on the real broker and database, with two instances of notify."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from services.contracts.errors import Invalid, Malformed, NotVisible, Refused
from services.contracts.notify import (
    Changes,
    CountUnread,
    GetChanges,
    Inbox,
    InboxItemView,
    ItemMark,
    ListInbox,
    MarkItem,
    MarkRead,
    ReadMark,
    ReadMarked,
    StreamFrames,
    StreamItems,
    Unread,
)
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.notifying import NOTIFY, QUICK, STAND_IN, Person, World, world
from tests.waiting import until


@pytest.fixture(scope="module")
def here(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("logs")
    with instances(parts, folder, STAND_IN, NOTIFY, NOTIFY, **QUICK), world(parts) as made:
        yield made


def inbox(person: Person, **asked: object) -> Inbox:
    found: Inbox = person.ask("list_inbox", ListInbox.model_validate(asked), Inbox)
    return found


def stream(person: Person, after: str | None, limit: int = 50) -> StreamFrames:
    found: StreamFrames = person.ask("stream_items", StreamItems(after=after, limit=limit), StreamFrames)
    return found


def test_the_inbox_has_what_others_did_newest_first(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    case = here.case(owner, officer)
    case.emit("case.created")
    case.emit("case.shared", share_id=officer.share_id)
    case.emit("entry.added", by=officer, entry_id="e1", section="timeline")
    until(lambda: len(inbox(owner).items) == 1 and len(inbox(officer).items) == 2)
    # Two producers: between them there is no order.
    assert {item.kind for item in inbox(officer).items} == {"case.shared", "case.created"}
    item = inbox(owner).items[0]
    assert (item.kind, item.case_id, item.href, item.read) == (
        "entry.added",
        case.id,
        f"/cases/{case.id}",
        False,
    )
    assert item.text == "An entry was added to a case"
    assert inbox(owner).unread == 1


def test_what_one_may_no_longer_know_of_vanishes_and_is_not_counted(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    case, other = here.case(owner, officer), here.case(owner, officer)
    case.emit()
    other.emit()
    until(lambda: inbox(officer).unread == 2)
    gone = next(item for item in inbox(officer).items if item.case_id == case.id)
    case.take(officer)
    left = inbox(officer)
    assert ([item.case_id for item in left.items], left.unread) == ([other.id], 1)
    assert officer.ask("count_unread", CountUnread(), Unread).unread == 1
    with pytest.raises(NotVisible):
        officer.command("mark_item", MarkItem(item_id=gone.id, mark=ItemMark(read=True)), InboxItemView)


def test_items_reach_a_team_and_not_the_agency_that_they_are_withheld_from(here: World) -> None:
    team = uuid.uuid4().hex
    owner, member, colleague = here.user(), here.user("a2", (team,)), here.user("a2")
    case = here.case(owner, member)
    case.emit("entry.added", withheld_from=("a2",))
    case.emit("entry.added")
    until(lambda: len(inbox(member).items) == 1)
    assert inbox(colleague).items == ()


def test_marks_single_and_up_to(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    case = here.case(owner, officer)
    for _ in range(4):
        case.emit()
    until(lambda: inbox(officer).unread == 4)
    newest, _, third, oldest = inbox(officer).items

    def mark(item_id: str, read: bool) -> InboxItemView:
        request = MarkItem(item_id=item_id, mark=ItemMark(read=read))
        marked: InboxItemView = officer.command("mark_item", request, InboxItemView)
        return marked

    def mark_up_to(place: object) -> ReadMarked:
        request = MarkRead(mark=ReadMark.model_validate({"up_to": place}))
        marked: ReadMarked = officer.command("mark_read", request, ReadMarked)
        return marked

    assert mark(newest.id, True).read
    assert inbox(officer).unread == 3
    assert mark_up_to(third.id).up_to == third.id
    assert [item.read for item in inbox(officer).items] == [True, False, True, True]
    assert not mark(oldest.id, False).read
    assert inbox(officer).unread == 2
    assert mark_up_to(datetime.now(UTC)).up_to == newest.id
    assert inbox(officer).unread == 0
    with pytest.raises(Invalid):
        mark_up_to(uuid.uuid4().hex)
    assert inbox(owner).unread == 0


def test_the_inbox_in_pages(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    case = here.case(owner, officer)
    for _ in range(7):
        case.emit()
    until(lambda: inbox(officer).unread == 7)
    whole = [item.id for item in inbox(officer).items]
    pages, cursor = list[str](), None
    while True:
        page = inbox(officer, limit=3, cursor=cursor)
        pages += [item.id for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert pages == whole
    with pytest.raises(Malformed):
        inbox(officer, cursor="bm90LWhlcmU=")


def test_the_stream_goes_on_from_a_resume_point_without_loss(here: World) -> None:
    owner, officer, stranger = here.user(), here.user("a2"), here.user("a3")
    begin = stream(officer, None).resume
    cases = [here.case(owner, officer) for _ in range(5)]
    told = [case.emit("entry.added", entry_id=f"e{n}").id for n in range(10) for case in cases]
    got, after = list[str](), begin

    def read() -> bool:
        nonlocal after
        found = stream(officer, after, limit=7)
        after = found.resume
        got.extend(frame.event.id for frame in found.frames)
        return len(got) >= len(told)

    until(read)
    assert sorted(got) == sorted(told)
    for case in range(5):
        mine = told[case::5]
        assert [one for one in got if one in mine] == mine
    assert stream(stranger, begin).frames == ()


def test_a_frame_is_thin_and_recorded(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    begin = stream(officer, None).resume
    case = here.case(owner, officer)
    event = case.emit("task.offered", task_id="x1", section="tasks", assignee=officer.key)
    found = until(lambda: (told := stream(officer, begin)).frames and told)
    frame = found.frames[0]
    assert (frame.id, frame.type) == (found.resume, "task.offered")
    assert frame.event.model_dump(exclude_unset=True)["data"] == {"case_id": case.id, "task_id": "x1"}
    assert frame.event.id == event.id
    assert found.disclosed is not None


def test_the_revoked_get_no_frame_of_what_is_told_after(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    case = here.case(owner, officer)
    begin = stream(owner, None).resume
    case.emit()
    until(lambda: stream(officer, begin).frames)
    case.take(officer)
    assert stream(officer, begin).frames == ()
    case.emit("share.revoked", share_id=officer.share_id)
    until(lambda: len(stream(owner, begin).frames) == 2)
    assert stream(officer, begin).frames == ()


def test_changes_wake_the_gateway_and_tell_of_lost_access(here: World) -> None:
    owner, officer = here.user(), here.user("a2")
    case = here.case(owner, officer)
    now: Changes = here.calling.ask("notify.changes", GetChanges(), reply=Changes)
    waiting = here.calling.begin("notify.changes", GetChanges(after=now.n), reply=Changes)
    case.emit()
    woken: Changes = waiting.result(10)
    assert [(item.case_id, item.kind) for item in woken.items] == [(case.id, "entry.added")]
    assert set(woken.items[0].keys) == {owner.key, officer.key}
    case.take(officer)
    case.emit("share.revoked", share_id=officer.share_id)
    again: Changes = here.calling.ask("notify.changes", GetChanges(after=woken.n), reply=Changes)
    assert [(item.case_id, item.kind) for item in again.items] == [(case.id, "share.revoked")]
    quiet: Changes = here.calling.ask("notify.changes", GetChanges(after=again.n, wait_ms=100), reply=Changes)
    assert (quiet.n, quiet.items) == (again.n, ())


def test_changes_are_for_the_gateway_alone(here: World, parts: Parts) -> None:
    with Calling(parts, "cases") as cases, pytest.raises(Refused):
        cases.ask("notify.changes", GetChanges())
