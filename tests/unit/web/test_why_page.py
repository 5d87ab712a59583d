"""Why somebody can see a case, or not: what the page asks, and how it says the answer."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts.errors import FieldError, Invalid, NotVisible
from tests.unit.web.replies import ESCAPED, WHY
from tests.unit.web.site import FakeAsking, SiteClient
from tests.unit.web.test_pages import check

ASKED = "/access/why?case_id=c1&agency_id=a1&user_id=u2&action=timeline"


def page(*roles: str) -> SiteClient:
    return SiteClient(FakeAsking(roles or ("practitioner",)))


def questions(site: SiteClient) -> list[Any]:
    return [request.question for _, method, request in site.asking.asked if method == "explain"]


def test_it_asks_what_was_chosen_and_says_every_step_in_plain_words() -> None:
    site = page()
    answer = site.get(ASKED)
    check(answer.text)
    (asked,) = questions(site)
    assert (asked.user_id, asked.case_id, asked.action, asked.at) == ("u2", "c1", "timeline", None)
    for text in ("The training for this use is current", "Seen when they ask", "Procedure version 3"):
        assert text in answer.text
    assert "the training for this use is not current" in answer.text
    assert ESCAPED in answer.text
    assert 'href="/cases/c1/shares/h1"' in answer.text


def test_a_day_and_a_time_are_taken_as_they_are_in_london() -> None:
    site = page()
    answer = site.get(f"{ASKED}&on=2026-07-01&at=14:05")
    (asked,) = questions(site)
    assert asked.at.isoformat() == "2026-07-01T13:05:00+00:00"
    assert "1 July 2026, 2:05pm" in answer.text
    assert 'href="/cases/c1/consultations"' in answer.text


@pytest.mark.parametrize(("on", "at"), [("2026-13-01", "10:00"), ("2026-07-01", "25:00"), ("soon", "")])
def test_what_is_no_time_is_said_and_nothing_is_asked(on: str, at: str) -> None:
    site = page()
    answer = site.get(f"{ASKED}&on={on}&at={at}")
    check(answer.text)
    assert "Enter the day and the time" in answer.text
    assert questions(site) == []


def test_a_time_to_come_is_refused_in_plain_words() -> None:
    site = page()
    refusal = Invalid(errors=(FieldError("/at", "in_the_future", "-"),))
    site.asking.refusals["sharing", "explain"] = refusal
    assert "Choose a time that is over" in site.get(f"{ASKED}&on=2030-01-01&at=10:00").text
    assert "Choose a person" in site.get(ASKED.replace("timeline", "dance")).text


def test_an_officer_names_the_case_and_is_led_to_the_log() -> None:
    site = page("agency_dpo")
    empty = site.get("/access/why").text
    assert 'id="f-case"' in empty
    assert questions(site) == []
    assert WHY["steps"]
    answer = site.get(f"{ASKED}&on=2026-07-01").text
    assert 'href="/audit?case_id=c1&amp;actor_id=u2"' in answer
    assert "/cases/c1/shares/h1" not in answer
    assert 'href="/access/why"' in site.get("/audit").text


def test_who_does_not_answer_for_the_case_does_not_find_it() -> None:
    site = page()
    site.asking.refusals["sharing", "explain"] = NotVisible()
    assert site.get(ASKED).status_code == 404
