"""The pages on which access is asked for and answered."""

from __future__ import annotations

import pytest

from services.contracts.sharing.asking import AnswerAccessRequest, RequestAccess
from tests.unit.web.replies import ASKED, KNOWN
from tests.unit.web.site import FakeAsking, SiteClient


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


def test_whoever_knows_of_a_case_is_led_to_asking_and_asks_once(site: SiteClient) -> None:
    site.asking.replies["cases", "get_case"] = KNOWN
    assert 'href="/cases/c1/access-requests"' in site.get("/cases/c1").text
    site.asking.replies["sharing", "list_access_requests"] = {"items": [], "next": None}
    assert "Ask the owner" in site.get("/cases/c1/access-requests").text
    typed = {"csrf": site.csrf, "once": "a" * 32, "reason": "I need it"}
    assert site.post("/cases/c1/access-requests", typed).status_code == 303
    (asked,) = [request for _, _, request, _ in site.asking.told]
    assert isinstance(asked, RequestAccess)
    assert asked.asked.reason == "I need it"
    site.asking.replies["sharing", "list_access_requests"] = {"items": [ASKED], "next": None}
    page = site.get("/cases/c1/access-requests").text
    assert "Ask the owner" not in page
    assert "/cases/c1/access-requests/q1" not in page


def test_the_owner_is_led_to_sharing_first_and_answers(site: SiteClient) -> None:
    page = site.get("/cases/c1/access-requests").text
    assert "/cases/c1/shares/new" in page
    assert "/cases/c1/access-requests/q1" in page
    assert "/cases/c1/access-requests/q2" not in page  # answered
    typed = {"csrf": site.csrf, "once": "a" * 32, "state": "declined", "answer": "Later"}
    assert site.post("/cases/c1/access-requests/q1", typed).status_code == 303
    (told,) = [request for _, _, request, _ in site.asking.told]
    assert isinstance(told, AnswerAccessRequest)
    assert (told.request_id, told.answer.state, told.answer.answer) == ("q1", "declined", "Later")
