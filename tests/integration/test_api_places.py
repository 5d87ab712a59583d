"""Places and devices as clients meet them: real gateway, real services, an agency's rule on its people."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.demo.api import Api, Refusal
from tests.checks.ground import Ground
from tests.journey.steps import POLICE, POLICING_BODY
from tests.waiting import until

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def admin(place: Ground) -> Api:
    return place.sign_in(POLICE, "agency_admin")


@pytest.fixture(scope="module")
def officer(place: Ground) -> Api:
    return place.sign_in(POLICE, "practitioner")


@pytest.fixture
def rule(admin: Api) -> Iterator[Any]:
    path = f"/agencies/{admin.get('/me')['agency']['id']}"

    def put(**more: Any) -> None:
        admin.patch(path, {"places": [{"marking": "official_sensitive", **more}]})

    yield put
    admin.patch(path, {"places": []})


@pytest.fixture
def browser(place: Ground, officer: Api) -> Iterator[httpx.Client]:
    """The officer's, with whatever cookies it was given."""
    with httpx.Client(base_url=f"{place.url}/api/v1", timeout=10, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {officer.token}"
        client.headers["User-Agent"] = "Managed Laptop 7"
        yield client


def _open(officer: Api, marking: str) -> str:
    made = officer.post(
        "/cases",
        {
            "template": "complex_asb",
            "title": "Noise at night",
            "priority": "medium",
            "marking": marking,
            "owner_team_id": officer.get("/me")["teams"][0]["id"],
            "subjects": [],
        },
    )
    return str(made["id"])


def test_a_rule_opens_cases_on_the_devices_that_it_names_alone(
    place: Ground, admin: Api, officer: Api, browser: httpx.Client, rule: Any
) -> None:
    case, other = f"/cases/{_open(officer, 'official_sensitive')}", f"/cases/{_open(officer, 'official')}"
    rule(device_classes=["managed"])
    refused = browser.get(case)
    assert (refused.status_code, refused.json()["code"]) == (403, "device_not_permitted")
    assert "title" not in refused.json() or refused.json()["title"] != "Noise at night"
    assert browser.get(f"{case}/entries").json()["code"] == "device_not_permitted"
    assert browser.get(other).status_code == 200
    listed = next(one for one in browser.get("/cases").json()["items"] if case.endswith(one["id"]))
    assert "title" not in listed
    # It becomes nobody's way around: what one could not open one does not make.
    change = browser.patch(
        other,
        json={"marking": "official_sensitive"},
        headers={"If-Match": browser.get(other).headers["etag"]},
    )
    assert change.json()["code"] == "device_not_permitted"
    registered = admin.post("/devices", {"name": "Laptop 7", "class": "managed"})
    done = browser.post(
        "/devices/enrolments",
        json={"code": registered["enrolment_code"]},
        headers={"Idempotency-Key": uuid.uuid4().hex},
    )
    assert (done.status_code, done.json()["state"]) == (201, "enrolled")
    assert "HttpOnly" in done.headers["set-cookie"]
    assert "SameSite=Strict" in done.headers["set-cookie"]
    assert browser.get(case).status_code == 200
    assert browser.get("/sessions/current").json()["device"]["name"] == "Laptop 7"
    admin.patch(f"/devices/{registered['id']}", {"state": "revoked"})
    assert browser.get(case).json()["code"] == "device_not_permitted"


def test_who_may_not_know_of_a_case_is_told_nothing_of_rules(
    place: Ground, officer: Api, browser: httpx.Client, rule: Any
) -> None:
    strangers = place.sign_in("Cleveland Fire and Rescue", "practitioner")
    case = _open(strangers, "official_sensitive")
    rule(networks=["203.0.113.0/24"])
    hidden, absent = browser.get(f"/cases/{case}"), browser.get(f"/cases/{uuid.uuid4()}")
    for answer in (hidden, absent):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    told = [{k: v for k, v in one.json().items() if k != "request_id"} for one in (hidden, absent)]
    assert told[0] == told[1]


def test_who_can_see_a_case_and_who_has_looked_is_told_where_the_case_is_opened_alone(
    place: Ground, officer: Api, browser: httpx.Client, rule: Any
) -> None:
    case_id = _open(officer, "official_sensitive")
    stranger = place.sign_in("Cleveland Fire and Rescue", "practitioner")
    with pytest.raises(Refusal):
        stranger.get(f"/cases/{case_id}")
    case, log = f"/cases/{case_id}", f"/audit/entries?case_id={case_id}"

    def looks() -> list[str]:
        answer = browser.get(f"{case}/consultations")
        return [one["entry_id"] for one in answer.json()["items"] if one["outcome"] == "refused"]

    until(looks, seconds=70)
    (look,) = looks()
    shown = ("access", "shares", "transfers", "conflicts", "access-requests", "break-glass", "consultations")
    for part in shown:
        assert browser.get(f"{case}/{part}").status_code == 200, part
    assert browser.get(f"/audit/entries/{look}").status_code == 200
    assert look in [one["id"] for one in browser.get(log).json()["items"]]
    rule(device_classes=["managed"])
    for part in shown:
        refused = browser.get(f"{case}/{part}")
        assert (refused.status_code, refused.json()["code"]) == (403, "device_not_permitted"), part
    for path in (f"/audit/entries/{look}", f"/audit/entries/{look}/proof", f"/audit/entries/{look}/receipt"):
        assert (browser.get(path).status_code, path) == (404, path)
    # What the owner did itself is its own.
    mine = officer.get("/me")["user"]["id"]
    listed = browser.get(log).json()["items"]
    assert {one["actor"]["id"] for one in listed} == {mine}
    absent = f"/cases/{uuid.uuid4()}"
    for part in shown:
        assert browser.get(f"{absent}/{part}").json()["code"] == "not_found", part


def test_an_address_that_a_request_says_of_itself_opens_nothing(
    officer: Api, browser: httpx.Client, rule: Any
) -> None:
    case = f"/cases/{_open(officer, 'official_sensitive')}"
    rule(networks=["203.0.113.0/24"])
    refused = browser.get(case, headers={"X-Forwarded-For": "203.0.113.9"})
    assert (refused.status_code, refused.json()["code"]) == (403, "network_not_permitted")
    rule(networks=["127.0.0.0/8"])
    assert browser.get(case).status_code == 200


def test_the_log_is_not_exported_where_its_cases_are_not_opened(place: Ground) -> None:
    dpo, admin = (place.sign_in(POLICING_BODY, role) for role in ("partnership_dpo", "agency_admin"))
    path = f"/agencies/{admin.get('/me')['agency']['id']}"
    with httpx.Client(base_url=f"{place.url}/api/v1", timeout=20, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {dpo.token}"
        assert client.get("/audit/export").status_code == 200
        admin.patch(path, {"places": [{"marking": "official_sensitive", "device_classes": ["managed"]}]})
        try:
            refused = client.get("/audit/export")
            assert (refused.status_code, refused.json()["code"]) == (403, "device_not_permitted")
            assert client.get("/audit/entries").status_code == 200
        finally:
            admin.patch(path, {"places": []})
        assert client.get("/audit/export").status_code == 200
