"""Passkeys in the web client: where they are offered, what is sent, what is said when they are refused."""

from __future__ import annotations

import json

import pytest
from falcon import testing

from services.contracts.errors import (
    BadCredentials,
    ConcordatError,
    FieldError,
    Invalid,
    InvalidTransition,
    PasskeyNotEnrolled,
    PasskeyRequired,
    StepUpRequired,
)
from tests.unit.web.site import FakeAsking, SiteClient
from tests.unit.web.test_pages import check

ANSWER = {
    "challenge_id": "y2",
    "credential_id": "aWQ",
    "client_data": "e30",
    "authenticator_data": "AA",
    "signature": "AA",
}
MADE = {"challenge_id": "y2", "credential_id": "aWQ", "client_data": "e30", "attestation": "AA"}
ORIGIN = "http://falconframework.org"
NOT_VALID = Invalid(errors=(FieldError("/passkey", "passkey_not_valid", "Not right."),))


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


def held(site: SiteClient, body: str | None = None) -> testing.Result:
    """`/log-in/code`, of somebody whose agency has vouched for them."""
    cookie = {"Cookie": f"concordat-sign-in={'s' * 43}.{'b' * 43}.%2F"}
    if body is None:
        return site._client.simulate_get("/log-in/code", headers=cookie)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}
    return site._client.simulate_post("/log-in/code", headers={**cookie, **kind}, body=body)


@pytest.mark.parametrize("path", ["/log-in", "/account/step-up"])
def test_a_passkey_is_offered_to_browsers_with_scripts_beside_the_code(site: SiteClient, path: str) -> None:
    page = site.get(path, cookie=path != "/log-in").text
    assert '<div hidden data-passkey="get"' in page
    assert "passkey.js" in page


def test_the_answer_is_sent_instead_of_a_code(site: SiteClient) -> None:
    typed = {"username": "fiona", "password": "secret", "totp": "", "passkey": json.dumps(ANSWER)}
    assert site.post("/log-in", typed, origin=ORIGIN).status_code == 303
    site.post("/account/step-up", {"passkey": json.dumps(ANSWER), "code": "", "next": "/cases/c1"})
    log_in, step_up = [one[2] for one in site.asking.told if one[1] in ("log_in", "step_up")]
    assert log_in.credentials.passkey.signature == step_up.step_up.passkey.signature == "AA"
    assert (log_in.credentials.totp, step_up.step_up.code) == (None, None)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"challenge_id": 1}', "[" * 5000])
def test_what_is_no_answer_is_asked_for_again(site: SiteClient, text: str) -> None:
    for path in ("/log-in", "/account/step-up", "/account/passkeys/new"):
        typed = {"username": "f", "password": "p", "passkey": text, "name": "Key"}
        answer = site.post(path, typed, origin=ORIGIN)
        assert answer.status_code == 422
        check(answer.text)
    assert site.asking.told == []


@pytest.mark.parametrize(
    ("problem", "says"),
    [(BadCredentials(), "the password or the passkey is not right"), (PasskeyRequired(), "Use your passkey")],
)
def test_a_log_in_that_fails_says_what_to_do(site: SiteClient, problem: ConcordatError, says: str) -> None:
    site.asking.refusals["sharing", "log_in"] = problem
    typed = {"username": "fiona", "password": "secret", "passkey": json.dumps(ANSWER)}
    answer = site.post("/log-in", typed, origin=ORIGIN)
    assert (answer.status_code, says in answer.text) == (401, True)
    assert "&#34;signature" not in answer.text
    check(answer.text)


def test_a_refused_step_up_is_offered_again(site: SiteClient) -> None:
    site.asking.refusals["sharing", "step_up"] = NOT_VALID
    answer = site.post("/account/step-up", {"passkey": json.dumps(ANSWER), "next": "/cases/c1"})
    assert answer.status_code == 422
    assert "This passkey could not be checked" in answer.text
    check(answer.text)


def test_whom_an_agency_has_vouched_for_may_use_one(site: SiteClient) -> None:
    page = held(site).text
    assert "data-asked='{" in page
    check(page)
    answer = held(site, f"totp=&passkey={json.dumps(ANSWER)}")
    assert answer.status_code == 303, answer.text
    assert site.asking.told[-1][2].passkey.challenge_id == "y2"
    site.asking.refusals["sharing", "begin_sign_in_challenge"] = PasskeyNotEnrolled()
    assert "data-passkey" not in held(site).text
    site.asking.refusals["sharing", "finish_sign_in"] = BadCredentials()
    answer = held(site, f"passkey={json.dumps(ANSWER)}")
    assert (answer.status_code, "This passkey could not be checked" in answer.text) == (401, True)


def test_a_passkey_is_added_and_its_name_is_what_was_typed(site: SiteClient) -> None:
    answer = site.post("/account/passkeys/new", {"name": "Blue key", "passkey": json.dumps(MADE)})
    assert answer.headers["location"] == "/account?done=passkey-added"
    assert site.asking.told[-1][2].passkey.name == "Blue key"
    without = site.post("/account/passkeys/new", {"name": "Blue key", "passkey": ""})
    assert (without.status_code, "made no passkey" in without.text) == (422, True)


@pytest.mark.parametrize("path", ["/account/passkeys/new", "/account/passkeys/y1"])
def test_who_has_a_second_factor_shows_it_before_changing_them(site: SiteClient, path: str) -> None:
    current = site.asking.replies["sharing", "current_session"]
    site.asking.replies["sharing", "current_session"] = {**current, "stepped_up_until": None}
    there = f"/account/step-up?next={path.replace('/', '%2F')}"
    assert site.get(path).headers["location"] == there
    site.asking.refusals["sharing", "remove_passkey"] = StepUpRequired()
    if path.endswith("y1"):
        assert site.post(path, {}).headers["location"] == there
        return
    site.asking.refusals["sharing", "add_passkey"] = StepUpRequired()
    made = {"name": "Blue key", "passkey": json.dumps(MADE)}
    assert site.post(path, made).headers["location"] == there
    me = site.asking.replies["sharing", "me"]
    site.asking.replies["sharing", "me"] = {**me, "second_factors": []}
    assert site.get(path).status_code == 200
    site.asking.refusals["sharing", "start_totp"] = StepUpRequired()
    answer = site.post("/account/totp", {"act": "start"})
    assert answer.headers["location"] == "/account/step-up?next=%2Faccount%2Ftotp"


def test_a_passkey_is_removed_unless_it_is_the_last(site: SiteClient) -> None:
    assert site.post("/account/passkeys/y1", {}).headers["location"] == "/account?done=passkey-removed"
    assert site.get("/account/passkeys/never-was").status_code == 404
    site.asking.refusals["sharing", "remove_passkey"] = InvalidTransition()
    answer = site.post("/account/passkeys/y1", {})
    assert "This is your only second factor" in answer.text
    check(answer.text)
