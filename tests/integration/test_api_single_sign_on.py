"""Single sign-on and leavers as browsers and identity systems meet them: real gateway, real services, a real
provider."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from deploy.demo.api import Api
from tests.checks.ground import Ground
from tests.identity_provider import RealProvider
from tests.integration.test_api_door import Listening
from tests.journey.steps import POLICE

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
OUT = {"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]}


@pytest.fixture(scope="module")
def admin(place: Ground) -> Api:
    return place.sign_in(POLICE, "agency_admin")


@pytest.fixture(scope="module")
def agency(admin: Api) -> str:
    return str(admin.get("/me")["agency"]["id"])


@pytest.fixture
def browser(place: Ground) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place.url, timeout=10, trust_env=False) as client:
        client.headers["Origin"] = place.url
        yield client


@pytest.fixture(scope="module")
def scim(place: Ground, admin: Api, agency: str) -> Iterator[httpx.Client]:
    expires = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat()
    made = admin.post(
        "/clients",
        {
            "agency_id": agency,
            "name": "Identity system",
            "accountable_user_id": place.cast.user(POLICE, "practitioner")["user_id"],
            "scopes": ["provisioning"],
            "expires_at": expires,
        },
    )
    with httpx.Client(base_url=f"{place.url}/api/v1/scim/v2", timeout=10, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {made['provisioning_token']}"
        client.headers["Content-Type"] = "application/scim+json"
        yield client


def invite(admin: Api, agency: str) -> dict[str, Any]:
    name = f"sso.{uuid.uuid4().hex[:8]}"
    made: dict[str, Any] = admin.post(
        "/users",
        {
            "username": name,
            "name": "Ida Invited",
            "email": f"{name}@police.example",
            "agency_id": agency,
            "team_ids": [],
            "roles": [{"role": "practitioner"}],
        },
    )
    return made


def set_provider(admin: Api, agency: str, provider: RealProvider, **more: str) -> None:
    path = f"/agencies/{agency}/identity-provider"
    tag = admin.send("GET", path).headers["etag"]
    body = {
        "alias": "cleveland-police",
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        **more,
    }
    admin.put(path, body, If_Match=tag)


def test_an_invited_person_signs_in_by_the_agencys_own_provider(
    place: Ground, admin: Api, agency: str, browser: httpx.Client
) -> None:
    user = invite(admin, agency)
    with RealProvider(f"{place.url}/log-in/callback/{agency}") as provider:
        set_provider(admin, agency, provider)
        subject = f"subject-{user['id']}"
        provider.person(subject, email=user["email"], email_verified=True)
        page = browser.post("/log-in/agency", data={"agency": "cleveland-police", "next": "/account"})
        assert page.status_code == 200
        (url,) = re.findall(r'href="(http[^"]+/oauth2/authorize[^"]*)"', page.text)
        came = provider.sign_in(unescape(url), subject)
        back = browser.get(f"/log-in/callback/{agency}", params=came)
        assert (back.status_code, back.headers["location"]) == (303, "/account")
        assert browser.cookies["concordat"]
        # The procedure comes first, as after a password.
        assert (
            browser.get("/account").headers.get("location", "/account").startswith(("/account", "/procedure"))
        )
        assert admin.get(f"/users/{user['id']}")["state"] == "active"
        again = browser.get(f"/log-in/callback/{agency}", params=came)
        assert again.status_code == 401
        assert "Signing in did not work" in again.text
        assert again.headers["x-request-id"] in again.text
        # A password that is right is answered word for word as one that is wrong; the administrator's is not.
        officer, told = place.cast.user(POLICE, "practitioner"), []
        for password in (officer["password"], "never was right"):
            body = {"username": officer["username"], "password": password}
            answer = browser.post("/api/v1/sessions", json=body)
            told.append((answer.status_code, {**answer.json(), "request_id": None, "instance": None}))
        assert told[0] == told[1]
        assert (told[0][0], told[0][1]["code"]) == (401, "bad_credentials")
        place.sign_in(POLICE, "agency_admin")
        set_provider(admin, agency, provider, passwords="allowed")
        assert place.cast.sign_in(officer).token


def test_a_leaver_is_out_at_once_with_every_stream(place: Ground, admin: Api, scim: httpx.Client) -> None:
    user = place.cast.user(POLICE, "practitioner", 1)
    officer = place.cast.sign_in(user)
    listening = Listening(place, officer)
    found = scim.get("/Users", params={"filter": f'userName eq "{user["username"].upper()}"'}).json()
    (person,) = found["Resources"]
    assert (person["id"], person["active"], found["totalResults"]) == (user["user_id"], True, 1)
    done = scim.patch(f"/Users/{person['id']}", json=OUT)
    assert (done.status_code, done.json()["active"]) == (200, False)
    assert done.headers["content-type"] == "application/scim+json"
    assert done.headers["etag"] == done.json()["meta"]["version"]
    with httpx.Client(base_url=f"{place.url}/api/v1", timeout=10, trust_env=False) as client:
        refused = client.get("/me", headers={"Authorization": f"Bearer {officer.token}"})
        assert refused.status_code == 401
    assert listening.ended.wait(15)
    assert admin.get(f"/users/{person['id']}")["state"] == "disabled"
    whole = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x", "active": True}
    back = scim.put(f"/Users/{person['id']}", json=whole, headers={"If-Match": done.headers["etag"]})
    assert (back.status_code, back.json()["active"]) == (200, True)
    assert back.json()["userName"] == user["username"]


def test_a_leaver_who_is_deleted_is_nobody_there_any_more(
    admin: Api, agency: str, scim: httpx.Client
) -> None:
    user = invite(admin, agency)
    assert scim.delete(f"/Users/{user['id']}").status_code == 204
    for again in (scim.get(f"/Users/{user['id']}"), scim.delete(f"/Users/{user['id']}")):
        said = again.json()
        assert (again.status_code, said["status"]) == (404, "404")
        assert said["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert admin.get(f"/users/{user['id']}")["state"] == "disabled"


def test_nobody_is_made_and_nothing_is_given_by_scim(admin: Api, agency: str, scim: httpx.Client) -> None:
    new = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "nobody.at.all"}
    refused = scim.post("/Users", json=new)
    assert refused.status_code == 403
    user = invite(admin, agency)
    there = scim.post("/Users", json={**new, "userName": user["username"]})
    assert (there.status_code, there.json()["scimType"]) == (409, "uniqueness")
    roles = {"op": "add", "path": "roles", "value": [{"value": "agency_admin"}]}
    done = scim.patch(f"/Users/{user['id']}", json={"schemas": [PATCH], "Operations": [roles]})
    assert done.status_code == 200
    assert [one["role"] for one in admin.get(f"/users/{user['id']}")["roles"]] == ["practitioner"]


def test_scim_is_spoken_in_its_own_words(place: Ground, scim: httpx.Client) -> None:
    for name, kind in (
        ("/ServiceProviderConfig", "ServiceProviderConfig"),
        ("/ResourceTypes", "ListResponse"),
        ("/Schemas", "ListResponse"),
        ("/Users?startIndex=2&count=1", "ListResponse"),
    ):
        answer = scim.get(name)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/scim+json"
        assert kind in answer.json()["schemas"][0]
    for path, status, scim_type in (
        ("/Users?filter=title pr", 400, "invalidFilter"),
        ("/Users?count=x", 400, "invalidValue"),
        (f"/Users/{uuid.uuid4()}", 404, None),
        ("/Users/no such id", 404, None),
    ):
        said = scim.get(path).json()
        assert (said["status"], said.get("scimType")) == (str(status), scim_type)
    for content in (b"{", b"[" * 5_000):
        assert scim.post("/Users", content=content).json()["scimType"] == "invalidSyntax"
    half = rb'{"userName":"\ud800","externalId":"\ud800"}'
    for answer in (scim.post("/Users", content=half), scim.put(f"/Users/{uuid.uuid4()}", content=half)):
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    wrong = scim.post("/Users", content=b"userName=x", headers={"Content-Type": "text/plain"})
    assert wrong.status_code == 415
    with httpx.Client(base_url=str(scim.base_url), timeout=10, trust_env=False) as nobody:
        refused = nobody.get("/Users/no such id")
        assert (refused.status_code, refused.json()["status"]) == (401, "401")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        refused = nobody.get("/Users", headers={"Authorization": f"Bearer p{uuid.uuid4()}.{'x' * 43}"})
        assert refused.status_code == 401
    officer = place.sign_in(POLICE, "practitioner")
    with httpx.Client(base_url=str(scim.base_url), timeout=10, trust_env=False) as person:
        refused = person.get("/Users", headers={"Authorization": f"Bearer {officer.token}"})
        assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
