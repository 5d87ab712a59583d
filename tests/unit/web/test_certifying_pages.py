"""The pages on which people and shares are confirmed."""

from __future__ import annotations

import pytest

from services.contracts.sharing.certifying import CertifyShare, CertifyUser, ListSharesToCertify
from tests.unit.web.site import FakeAsking, SiteClient


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


def test_each_person_is_confirmed_by_a_button_of_their_own(site: SiteClient) -> None:
    page = site.get("/administration/certifications").text
    assert page.count("Overdue") == 1
    assert "Not yet" in page
    assert "/administration/users/u1/state" in page
    answer = site.post("/administration/certifications", {"csrf": site.csrf, "user_id": "u2"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/administration/certifications?done=confirmed",
    )
    assert [request for _, _, request, _ in site.asking.told] == [CertifyUser(user_id="u2")]
    assert "Confirmed." in site.get("/administration/certifications?done=confirmed").text


def test_an_owner_confirms_a_share_or_ends_it(site: SiteClient) -> None:
    page = site.get("/certifications").text
    assert "/cases/c1/shares/h1/revoke" in page
    typed = {"csrf": site.csrf, "case_id": "c1", "share_id": "h1"}
    assert site.post("/certifications", typed).status_code == 303
    assert [request for _, _, request, _ in site.asking.told] == [CertifyShare(case_id="c1", share_id="h1")]


def test_an_officer_sees_what_is_overdue_and_has_nothing_to_press(site: SiteClient) -> None:
    page = site.get("/certifications?of=agency").text
    assert "still in force" in page
    assert "/cases/c1" not in page
    assert 'action="/certifications"' not in page
    asked = [one for one in site.asking.asked if isinstance(one[2], ListSharesToCertify)]
    assert [one[2].of for one in asked] == ["agency"]
