"""What somebody is told whose place, device or training is not enough, and how they can help it."""

from __future__ import annotations

import hashlib
import re

import pytest

from services.contracts.errors import (
    DeviceNotPermitted,
    FieldError,
    Invalid,
    NetworkNotPermitted,
    Refused,
    StepUpRequired,
    TrainingRequired,
)
from tests.unit.web.replies import CANARY, ESCAPED
from tests.unit.web.site import FakeAsking, SiteClient
from tests.unit.web.test_forms_sent import hidden
from tests.unit.web.test_pages import check


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


@pytest.mark.parametrize("kind", [TrainingRequired, NetworkNotPermitted, DeviceNotPermitted, StepUpRequired])
def test_a_barred_page_quotes_the_clause_and_says_what_one_can_do(
    site: SiteClient, kind: type[Refused]
) -> None:
    site.asking.refusals["cases", "get_case"] = kind(clause=f"5 {CANARY}")
    answer = site.get("/cases/c1?type=note")
    assert answer.status_code == 403
    check(answer.text)
    assert f"5 {ESCAPED}" in answer.text
    assert CANARY not in answer.text
    helped = {
        TrainingRequired: "ask your agency's administrator to record it",
        NetworkNotPermitted: "Open it from your office",
        DeviceNotPermitted: 'href="/account/device"',
        StepUpRequired: 'action="/account/step-up"',
    }
    for other, says in helped.items():
        assert (says in answer.text) == (other is kind)


def test_a_code_leads_back_to_where_one_was(site: SiteClient) -> None:
    site.asking.refusals["cases", "get_case"] = StepUpRequired()
    refused = site.get("/cases/c1?type=note")
    typed = {"next": hidden(refused, "next"), "once": hidden(refused, "once"), "code": "123 456"}
    answer = site.post("/account/step-up", typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/c1?type=note")
    ((_, method, request, _),) = site.asking.told
    assert (method, request.step_up.code) == ("step_up", "123456")


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", ""])
def test_a_code_leads_to_this_site_only(site: SiteClient, target: str) -> None:
    answer = site.post("/account/step-up", {"next": target, "code": "123456"})
    assert answer.headers["location"] == "/account?done=code"


def test_a_wrong_code_is_asked_for_again_and_not_written_into_the_page(site: SiteClient) -> None:
    error = FieldError("/code", "wrong_code", "This is not the present code.")
    site.asking.refusals["sharing", "step_up"] = Invalid(errors=(error,))
    answer = site.post("/account/step-up", {"next": "/cases/c1", "code": "123456"})
    assert answer.status_code == 422
    assert "This code is not right" in answer.text
    assert hidden(answer, "next") == "/cases/c1"
    check(answer.text)


def test_what_was_typed_waits_for_the_code(site: SiteClient) -> None:
    for method in ("add_entry", "get_case"):
        site.asking.refusals["cases", method] = StepUpRequired()
    typed = {"text": "She was seen.", "quick": "1", "once": "a" * 32}
    answer = site.post("/cases/c1/entries/new?type=note", typed)
    assert answer.status_code == 403
    assert "She was seen." in answer.text
    assert 'href="/account/step-up" target="_blank"' in answer.text
    check(answer.text)


def test_a_device_is_enrolled_by_a_cookie_that_no_script_and_no_other_site_can_use(site: SiteClient) -> None:
    answer = site.post("/account/device", {"code": "abcd-efgh-jkmn"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=device")
    cookie = answer.cookies["concordat-device"]
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Strict", "/")
    assert cookie.max_age == 400 * 86400
    device_id, _, secret = cookie.value.partition(".")
    assert device_id == "d1"
    assert len(secret) == 43  # 256 bits
    ((_, method, request, _),) = site.asking.told
    assert (method, request.enrolment.code) == ("enrol_device", "abcd-efgh-jkmn")
    assert request.secret_hash == hashlib.sha256(f"concordat device|{secret}".encode()).hexdigest()
    assert secret not in request.model_dump_json()


def test_a_refused_code_enrols_nothing(site: SiteClient) -> None:
    error = FieldError("/code", "code_not_valid", "x")
    site.asking.refusals["sharing", "enrol_device"] = Invalid(errors=(error,))
    answer = site.post("/account/device", {"code": "abcd"})
    assert answer.status_code == 422
    assert "concordat-device" not in answer.cookies


@pytest.mark.parametrize(("held", "path", "barred"), [
    ("export:official_sensitive", "/cases/c1", True),
    ("export:official", "/cases/c1", False),
    ("export:official_sensitive", "/procedure", False),
])  # fmt: skip
def test_a_case_is_not_printed_where_it_may_not_be(
    site: SiteClient, held: str, path: str, barred: bool
) -> None:
    site.asking.barred = {held: {"code": "device_not_permitted"}}
    assert ("app-unprintable" in site.get(path).text) == barred


def test_places_are_sent_as_they_were_filled_in(site: SiteClient) -> None:
    page = site.get("/administration/agencies/a1/places").text
    assert re.search(r'value="managed"[^>]* checked', page)
    assert "192.0.2.0/24" in page
    typed = {
        "etag": "a-1",
        "networks_official": "",
        "own": "yes",
        "networks_official_sensitive": "10.0.0.0/8\r\n2001:db8::/32",
        "classes_official_sensitive": ["managed", "mobile"],
        "code_official_sensitive": "yes",
    }
    assert site.post("/administration/agencies/a1/places", typed).status_code == 303
    ((_, method, request, _),) = site.asking.told
    assert (method, request.if_match) == ("patch_agency", "a-1")
    (rule,) = request.changes.places
    assert rule.model_dump(mode="json") == {
        "marking": "official_sensitive",
        "networks": ["10.0.0.0/8", "2001:db8::/32"],
        "device_classes": ["managed", "mobile"],
        "step_up": True,
    }


def test_a_wrong_network_is_named_where_it_was_typed(site: SiteClient) -> None:
    error = FieldError("/places/0/networks/0", "wrong_form", "x")
    site.asking.refusals["sharing", "patch_agency"] = Invalid(errors=(error,))
    typed = {"own": "yes", "networks_official_sensitive": "here"}
    answer = site.post("/administration/agencies/a1/places", typed)
    assert answer.status_code == 422
    assert 'id="networks_official_sensitive-error"' in answer.text
    check(answer.text)


def test_training_is_recorded_with_its_days(site: SiteClient) -> None:
    typed = {"use": "vemt"}
    for name, year in (("completed_on", "2026"), ("expires_on", "2027")):
        typed |= {f"{name}-day": "2", f"{name}-month": "3", f"{name}-year": year}
    answer = site.post("/administration/users/u2/trainings", typed)
    assert answer.status_code == 303
    ((_, method, request, _),) = site.asking.told
    assert method == "record_training"
    assert request.training.model_dump(mode="json") == {
        "use": "vemt", "completed_on": "2026-03-02", "expires_on": "2027-03-02",
    }  # fmt: skip
