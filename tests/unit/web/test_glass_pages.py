"""Emergency access and conflicts: what the pages send, and what they tell of whether a case exists."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.contracts.errors import NotVisible, RateLimited
from tests.unit.web.replies import CASE, CONFLICT
from tests.unit.web.site import FakeAsking, SiteClient
from tests.unit.web.test_pages import check

ONCE = re.compile(r'name="once" value="([^"]+)"')
BEHIND = {
    **CASE,
    "my_access": {
        "via": "break_glass",
        "share_id": "b1",
        "level": "read",
        "sections": ["summary"],
        "until": "2026-11-24T15:30:00Z",
        "may": [],
    },
}


def page(roles: tuple[str, ...] = ("practitioner",)) -> SiteClient:
    return SiteClient(FakeAsking(roles))


def told(site: SiteClient) -> Any:
    ((_, method, request, _),) = site.asking.told
    return method, request


@pytest.mark.parametrize("path", ["/cases/x9", "/cases/x9/edit", "/cases/x9/entries/n1"])
def test_what_is_not_found_below_cases_leads_to_emergency_access(path: str) -> None:
    site = page()
    for method in ("get_case", "get_entry"):
        site.asking.refusals["cases", method] = NotVisible()
    answer = site.get(path)
    assert answer.status_code == 404
    assert 'href="/cases/x9/emergency"' in answer.text
    check(answer.text)


def test_other_people_and_other_pages_are_not_led_there() -> None:
    for roles, path in ((("agency_admin",), "/cases/x9"), (("practitioner",), "/subjects/x9")):
        site = page(roles)
        site.asking.refusals["cases", "get_case"] = NotVisible()
        site.asking.refusals["cases", "get_subject"] = NotVisible()
        answer = site.get(path)
        assert answer.status_code == 404
        assert "/emergency" not in answer.text


def test_the_page_is_the_same_for_every_id_and_asks_nobody_about_it() -> None:
    site = page()
    for method in ("get_case", "list_cases"):
        site.asking.refusals["cases", method] = NotVisible()
    pages = []
    for case_id in ("c1", "no-such-case"):
        text = site.get(f"/cases/{case_id}/emergency").text
        pages.append(re.sub(r'(value="[0-9a-f]{32}"|<code>[^<]*</code>)', "", text))
    assert pages[0] == pages[1]
    assert {(service, method) for service, method, _ in site.asking.asked} <= {
        ("sharing", "me"),
        ("notify", "count_unread"),
    }


def test_who_does_not_work_on_cases_has_no_such_page() -> None:
    assert page(("agency_admin",)).get("/cases/c1/emergency").status_code == 403


def test_it_is_taken_with_a_reason_and_the_case_does_not_ask_for_one_again() -> None:
    site = page()
    answer = site.post("/cases/c1/emergency", {"access_reason": "safeguarding", "reason": "Screams"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/c1")
    method, request = told(site)
    assert (method, request.access_reason, request.glass.reason) == ("break_glass", "safeguarding", "Screams")
    (opened,) = [request for _, method, request in site.asking.asked if method == "get_case"]
    assert opened.access_reason == "safeguarding"


@pytest.mark.parametrize(("problem", "status"), [(NotVisible(), 404), (RateLimited(retry_after=9), 429)])
def test_a_refusal_keeps_what_was_typed(problem: Any, status: int) -> None:
    site = page()
    site.asking.refusals["sharing", "break_glass"] = problem
    answer = site.post("/cases/c1/emergency", {"access_reason": "other", "reason": "Screams"})
    assert answer.status_code == status
    assert "Screams" in answer.text
    check(answer.text)


def test_nothing_is_taken_without_saying_why() -> None:
    site = page()
    assert site.post("/cases/c1/emergency", {"reason": ""}).status_code == 422
    assert site.asking.told == []


def test_the_case_says_while_glass_is_broken_and_until_when() -> None:
    site = page()
    site.asking.replies["cases", "get_case"] = BEHIND
    text = site.get("/cases/c1").text
    assert "You have emergency access until" in text
    assert "24 November 2026, 3:30pm" in text
    assert 'href="/cases/c1/shares/b1/hand-back"' in text
    check(text)
    site.asking.replies["cases", "get_case"] = CASE
    assert "You have emergency access" not in site.get("/cases/c1").text


def test_an_officer_reviews_without_asking_for_the_case() -> None:
    site = page(("agency_dpo",))
    site.asking.refusals["cases", "get_case"] = NotVisible()
    listed = site.get("/cases/c1/break-glass")
    assert listed.status_code == 200
    assert "End it now" not in listed.text
    check(listed.text)
    answer = site.post("/cases/c1/break-glass/b1", {"decision": "not_justified", "reason": "No need"})
    assert answer.status_code == 303
    method, request = told(site)
    assert (method, request.glass_id, request.review.decision) == ("review_glass", "b1", "not_justified")
    assert site.get("/cases/c1/break-glass/other").status_code == 404


def test_the_owner_finds_a_person_and_shuts_them_out() -> None:
    site = page()
    found = site.post("/cases/c1/conflicts", {"text": "Jo"})
    assert found.status_code == 200
    assert 'value="u3"' in found.text
    check(found.text)
    assert site.asking.told == []
    typed = {"act": "declare", "text": "Jo", "user_id": "u3", "kind": "neighbour", "reason": "Next door"}
    unsaid = site.post("/cases/c1/conflicts", {**typed, "reason": ""})
    assert unsaid.status_code == 422
    check(unsaid.text)
    assert site.post("/cases/c1/conflicts", typed).status_code == 303
    method, request = told(site)
    assert (method, request.conflict.user_id, request.conflict.kind) == (
        "declare_conflict",
        "u3",
        "neighbour",
    )


def test_the_owner_takes_a_conflict_back() -> None:
    site = page()
    path = f"/cases/c1/conflicts/{CONFLICT['id']}/withdraw"
    assert path in site.get("/cases/c1/conflicts").text
    shown = site.get(path)
    assert "Take back the conflict of interest of" in shown.text
    check(shown.text)
    assert site.get("/cases/c1/conflicts/other/withdraw").status_code == 404
    assert site.post(path, {}).headers["location"] == "/cases/c1/conflicts?done=withdrawn"
    method, request = told(site)
    assert (method, request.conflict_id) == ("withdraw_conflict", CONFLICT["id"])


def test_a_reader_says_that_it_concerns_them() -> None:
    site = page()
    answer = site.post("/cases/c1/conflicts/own", {"kind": "household", "reason": "My brother"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    method, request = told(site)
    assert (method, request.conflict.user_id, request.conflict.kind) == (
        "declare_conflict",
        "u1",
        "household",
    )
