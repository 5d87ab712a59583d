"""The pages about a case's owner: who is shown what, and what is sent."""

from __future__ import annotations

import pytest

from services.contracts.errors import NotVisible
from services.contracts.sharing.people import PatchUser
from services.contracts.sharing.shares import ChangeShare
from services.contracts.sharing.transfers import DecideTransfer, OfferTransfer
from tests.unit.web.replies import CASE, KNOWN, OFFERED, OTHERS
from tests.unit.web.site import FakeAsking, SiteClient

ELSEWHERE = {"user": {"id": "u7", "name": "Kim"}, "agency": OTHERS}


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


def sent(site: SiteClient, path: str, **typed: str) -> tuple[int, object]:
    answer = site.post(path, {"csrf": site.csrf, "once": "a" * 32, **typed})
    told = [request for _, method, request, _ in site.asking.told]
    return answer.status_code, told[-1] if told else None


def test_the_owner_sees_the_offer_that_stands_and_can_take_it_back_but_not_accept_it(
    site: SiteClient,
) -> None:
    site.asking.replies["sharing", "list_transfers"] = {"items": [{**OFFERED, "to": ELSEWHERE}], "next": None}
    page = site.get("/cases/c1/transfers").text
    assert "Offered to Kim" in page
    assert "/cases/c1/transfers/f1/cancel" in page
    assert "/accept" not in page
    assert "/cases/c1/transfers/new" not in page


def test_the_addressee_decides_and_sees_no_history(site: SiteClient) -> None:
    site.asking.replies["cases", "get_case"] = {
        **KNOWN, "my_access": {**KNOWN["my_access"], "via": "share"}
    }  # fmt: skip
    site.asking.replies["sharing", "list_transfers"] = {"items": [OFFERED], "next": None}
    page = site.get("/cases/c1/transfers").text
    assert "You are offered this case" in page
    assert "/cases/c1/transfers/f1/accept" in page
    assert "/cancel" not in page
    assert "What was" not in page


def test_whoever_knows_of_a_case_by_an_offer_is_led_to_it(site: SiteClient) -> None:
    access = {name: one for name, one in KNOWN["my_access"].items() if name != "share_id"}
    site.asking.replies["cases", "get_case"] = {**KNOWN, "my_access": access}
    assert 'href="/cases/c1/transfers"' in site.get("/cases/c1").text
    site.asking.replies["cases", "get_case"] = KNOWN
    assert 'href="/cases/c1/transfers"' not in site.get("/cases/c1").text


def test_a_search_keeps_the_reason_and_offers_nothing(site: SiteClient) -> None:
    answer = site.post(
        "/cases/c1/transfers/new",
        {"csrf": site.csrf, "go": "find", "find": "Kim", "agency_id": "a2", "reason": "They moved"},
    )
    assert answer.status_code == 200
    assert "They moved" in answer.text
    assert site.asking.told == []
    (asked,) = [request for _, method, request in site.asking.asked if method == "search_directory"]
    assert (asked.text, asked.agency_id) == ("Kim", "a2")


def test_an_offer_names_the_person_and_the_reason(site: SiteClient) -> None:
    status, told = sent(site, "/cases/c1/transfers/new", go="offer", to_user_id="u3", reason="They moved")
    assert status == 303
    assert isinstance(told, OfferTransfer)
    assert (told.case_id, told.transfer.to_user_id, told.transfer.reason) == ("c1", "u3", "They moved")
    status, again = sent(SiteClient(FakeAsking()), "/cases/c1/transfers/new", go="offer", to_user_id="u3")
    assert (status, again) == (422, None)


def test_only_the_owner_comes_to_the_offer(site: SiteClient) -> None:
    site.asking.replies["cases", "get_case"] = {
        **CASE, "my_access": {**CASE["my_access"], "via": "team"}
    }  # fmt: skip
    assert site.get("/cases/c1/transfers/new").status_code == 403


def test_accepting_names_the_team_or_none(site: SiteClient) -> None:
    status, told = sent(site, "/cases/c1/transfers/f1/accept", team_id="t1")
    assert status == 303
    assert isinstance(told, DecideTransfer)
    assert (told.decision.state, told.decision.team_id, told.decision.reason) == ("accepted", "t1", None)
    _, told = sent(site, "/cases/c1/transfers/f1/accept", team_id="")
    assert isinstance(told, DecideTransfer)
    assert told.decision.team_id is None


def test_declining_wants_a_reason_and_leads_away_from_the_case(site: SiteClient) -> None:
    assert sent(site, "/cases/c1/transfers/f1/decline")[0] == 422
    answer = site.post(
        "/cases/c1/transfers/f1/decline", {"csrf": site.csrf, "once": "b" * 32, "reason": "Too far"}
    )
    assert answer.headers["location"] == "/inbox"


def test_an_offer_that_is_over_is_like_one_that_never_was(site: SiteClient) -> None:
    site.asking.replies["sharing", "list_transfers"] = {"items": [], "next": None}
    assert site.get("/cases/c1/transfers/f1/accept").status_code == 404
    site.asking.refusals["sharing", "list_transfers"] = NotVisible()
    assert site.get("/cases/c1/transfers").status_code == 404


def test_consent_is_confirmed_by_a_change_of_the_share(site: SiteClient) -> None:
    assert "/cases/c1/shares/h1/consent" in site.get("/cases/c1/shares/h1").text
    status, told = sent(site, "/cases/c1/shares/h1/consent", consent="given", etag="h-1")
    assert status == 303
    assert isinstance(told, ChangeShare)
    assert told.change.model_fields_set == {"consent"}
    assert told.change.consent is not None
    assert told.change.consent.state == "given"


def test_the_administrators_pages_ask_for_nothing_of_the_case_itself(site: SiteClient) -> None:
    for path in ("/administration/ownerless", "/administration/ownerless/c1"):
        assert site.get(path).status_code == 200
    assert sent(site, "/administration/ownerless/c1", go="offer", to_user_id="u3", reason="Left")[0] == 303
    assert not [method for service, method, _ in site.asking.asked if service in ("cases", "audit")]


def test_a_deputy_is_named_and_taken_away(site: SiteClient) -> None:
    status, told = sent(site, "/administration/users/u2/deputy", go="save", deputy_id="u3", etag="u-1")
    assert status == 303
    assert isinstance(told, PatchUser)
    assert told.changes.deputy_id == "u3"
    _, told = sent(site, "/administration/users/u2/deputy", go="save", deputy_id="", etag="u-1")
    assert isinstance(told, PatchUser)
    assert (told.changes.deputy_id, told.changes.model_fields_set) == (None, {"deputy_id"})
