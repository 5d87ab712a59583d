"""What an event becomes, for whom, and what is said of it."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from services.contracts.alerts import ACCESS_ALERT, ACCESS_REMINDER, AccessAlert, Reminder
from services.contracts.authority import CaseEvent
from services.contracts.envelope import Event
from services.contracts.vocabulary import EventName
from services.notify.domain.items import (
    ALERTS,
    OTHER_REMINDER,
    OTHER_TEXT,
    REMINDERS,
    TEXTS,
    alert_of,
    in_order,
    item_of,
    reminder_of,
)
from services.notify.stores.rows import from_row, to_row
from tests.unit.notify.made import AT, access, item


def event(**data: object) -> Event:
    told = CaseEvent.model_validate({"case_id": "k1", **data})
    return Event.of("cases", "task.offered", "cases/k1", 4, told, now=AT)


def test_an_item_is_addressed_to_everyone_on_the_access_list() -> None:
    made = item_of(event(task_id="x1", assignee="t:t1", actor_id="u1"), access(), "i1")
    assert made.keys == ("c:c1", "t:t1", "u:u1", "u:u2")
    assert made.client_ids == ["c1"]
    assert (made.assignee, made.actor_id, made.owner_agency_id, made.producer) == (
        "t:t1",
        "u1",
        "a1",
        "cases",
    )


def test_what_concerns_a_share_is_addressed_to_the_owner_and_to_those_whom_it_names() -> None:
    other = access().shares[0].model_copy(update={"id": "s2", "agency_id": "a3", "user_ids": ("u3",)})
    other = other.model_copy(update={"team_ids": (), "client_ids": ("c3",)})
    both = access().model_copy(update={"shares": (*access().shares, other)})
    assert item_of(event(share_id="s2"), both, "i1").keys == ("c:c3", "u:u1", "u:u3")
    assert item_of(event(share_id="s1"), both, "i1").keys == ("c:c1", "t:t1", "u:u1", "u:u2")
    assert item_of(event(share_id="revoked"), both, "i1").keys == ("u:u1",)


def test_a_case_without_a_list_concerns_nobody() -> None:
    assert item_of(event(), None, "i1").keys == ()


def test_the_thin_event_has_ids_and_nothing_else() -> None:
    made = item_of(event(task_id="x1", assignee="u:u2", actor_id="u1", agency_id="a1"), access(), "i1")
    body = json.loads(made.thin(7).model_dump_json(exclude_unset=True))
    assert body == {
        "specversion": "1.0",
        "id": made.event_id,
        "source": "/concordat/cases",
        "type": "task.offered",
        "time": "2026-11-01T12:00:00Z",
        "subject": "cases/k1",
        "datacontenttype": "application/json",
        "sequence": "7",
        "data": {"case_id": "k1", "task_id": "x1"},
    }
    assert "sequence" not in json.loads(made.thin().model_dump_json(exclude_unset=True))


@pytest.mark.parametrize("event_type", get_args(EventName))
def test_every_type_has_a_sentence_of_its_own(event_type: str) -> None:
    assert TEXTS[event_type] not in {text for other, text in TEXTS.items() if other != event_type}
    assert item(type=event_type).text == TEXTS[event_type] != OTHER_TEXT


def test_a_type_from_the_future_has_a_sentence_too() -> None:
    assert item(type="case.merged").text == OTHER_TEXT


def test_the_page_is_the_case() -> None:
    assert item().href == "/cases/k1"


def test_the_question_carries_what_decides() -> None:
    asked = item(section="tasks", withheld_from=("a9",), assignee="u:u2").question("c1")
    assert asked.model_dump() == {
        "principal_id": "c1",
        "case_id": "k1",
        "section": "tasks",
        "withheld_from": ("a9",),
        "assignee": "u:u2",
        "least": "know",
        "alert": False,
    }


def alert(**data: object) -> Event:
    told = AccessAlert.model_validate(
        {"case_id": "k1", "alert": "glass_broken", "keys": ("u:u1", "o:partnership_dpo"), **data}
    )
    return Event.of("sharing", ACCESS_ALERT, "cases/k1", 4, told, now=AT)


def test_an_alert_is_addressed_as_it_says_and_asked_about_as_one() -> None:
    made = alert_of(alert(actor_id="u9", agency_id="a1"), "i1")
    assert (made.keys, made.client_ids) == (("u:u1", "o:partnership_dpo"), [])
    assert (made.actor_id, made.owner_agency_id, made.share_id) == ("u9", "a1", None)
    assert made.question("u1").alert
    assert made.href == "/cases/k1/break-glass"
    assert from_row(to_row(made)) == made


@pytest.mark.parametrize("kind", [*ALERTS, "of_the_future"])
def test_an_alert_has_a_sentence_of_its_own(kind: str) -> None:
    assert alert_of(alert(alert=kind), "i1").text not in TEXTS.values()


def test_what_an_owner_is_told_of_an_end_is_asked_like_anything_else() -> None:
    made = alert_of(alert(alert="share_ends_7", keys=("u:u1",)), "i1")
    assert not made.question("u1").alert
    assert made.href == "/cases/k1/shares"


@pytest.mark.parametrize(
    ("kind", "href"),
    [
        ("protocol_ends_30", "/administration/protocols/x1"),
        ("role_of_user_ends_7", "/administration/users/x1"),
        ("role_ends_90", "/account"),
        ("account_tied", "/account"),
        ("account_of_user_tied", "/audit?actor_id=x1"),
        ("passkey_added", "/account"),
        ("passkey_removed", "/account"),
        ("passkey_copied", "/account"),
        ("passkey_of_user_copied", "/audit?actor_id=x1"),
        ("of_the_future", "/account"),
    ],
)
def test_a_reminder_is_about_no_case_and_goes_where_it_can_be_dealt_with(kind: str, href: str) -> None:
    told = Reminder(reminder=kind, keys=("u:u1", "o:system_operator"), object_id="x1")
    event = Event.of("sharing", ACCESS_REMINDER, "reminders/r1", 1, told, now=AT)
    made = reminder_of(event, "i1")
    assert (made.keys, made.of_a_case, made.href) == (("u:u1", "o:system_operator"), False, href)
    assert made.text not in (*TEXTS.values(), *ALERTS.values())
    assert (made.text == OTHER_REMINDER) == (kind not in REMINDERS)
    assert from_row(to_row(made)) == made


def test_a_change_of_the_list_itself_is_told_to_the_owner_alone() -> None:
    told = CaseEvent(case_id="k1", actor_id="u1")
    shut_out = Event.of("sharing", "share.changed", "cases/k1", 4, told, now=AT)
    assert item_of(shut_out, access(), "i1").keys == ("u:u1",)


def test_items_are_in_order_as_they_came_but_within_a_case_by_number() -> None:
    came = [
        item(id="1", case_id="a", number=2),
        item(id="2", case_id="b", number=9),
        item(id="3", case_id="a", number=1),
        item(id="4", case_id="a", number=1, source="/concordat/sharing"),
    ]
    assert [(one.case_id, one.number, one.producer) for one in in_order(came)] == [
        ("a", 1, "cases"),
        ("b", 9, "cases"),
        ("a", 2, "cases"),
        ("a", 1, "sharing"),
    ]


def test_a_row_gives_back_the_item() -> None:
    for one in (
        item(),
        item(keys=("u:1",), withheld_from=("a",), share_id="s", actor_id="u", assignee="t:1"),
    ):
        assert from_row(to_row(one)) == one


def test_status_and_changes_are_for_those_who_may_read() -> None:
    asked = {kind: item(type=kind, section=None).question("u2").least for kind in TEXTS}
    assert {kind for kind, least in asked.items() if least == "read"} == {
        "case.updated",
        "case.closed",
        "case.reopened",
    }
