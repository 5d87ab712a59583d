"""Signing in by an agency's provider, as a browser without scripts does it."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts.errors import (
    AccountDisabled,
    BadCredentials,
    ConcordatError,
    NotVisible,
    ProviderAway,
    SignInFailed,
    TotpRequired,
)
from tests.unit.web.replies import AGENCY, ESCAPED
from tests.unit.web.site import TOKEN, FakeAsking, SiteClient
from tests.unit.web.test_forms_sent import ORIGIN, hidden
from tests.unit.web.test_pages import check

STATE, BINDING = "s" * 43, "b" * 43
HELD = f"{STATE}.{BINDING}.%2Finbox"
HERE = "http://falconframework.org"


@pytest.fixture
def site() -> SiteClient:
    return SiteClient(FakeAsking())


def back(site: SiteClient, query: str, held: str = HELD) -> Any:
    """The provider sends the browser here."""
    headers = {"Cookie": f"concordat-sign-in={held}"} if held else {}
    return site._client.simulate_get(f"/log-in/callback/{AGENCY['id']}?{query}", headers=headers)


def test_the_log_in_page_leads_there(site: SiteClient) -> None:
    answer = site.get("/log-in?next=/inbox", cookie=False)
    assert 'href="/log-in/agency?next=/inbox"' in answer.text


def test_a_name_leads_to_a_page_that_says_where_one_goes(site: SiteClient) -> None:
    answer = site.post("/log-in/agency", {"agency": "Police", "next": "/inbox"}, cookie=False, origin=HERE)
    assert answer.status_code == 200
    check(answer.text)
    assert 'href="https://id.police.example/authorize?state=s"' in answer.text
    cookie = answer.cookies["concordat-sign-in"]
    assert (cookie.http_only, cookie.same_site, cookie.path, cookie.max_age) == (True, "Lax", "/", 600)
    assert cookie.value == HELD
    ((_, method, request, key),) = site.asking.told
    assert (method, request.alias, key) == ("begin_sign_in", "police", None)
    assert request.redirect_uri.endswith("/log-in/callback")
    assert ESCAPED in answer.text  # the agency's name


def test_a_link_fills_in_the_name_and_begins_nothing(site: SiteClient) -> None:
    """Any page can have the link: it leads to no other site, and signs nobody in as somebody else."""
    answer = site.get("/log-in/agency/police?next=https://evil.example", cookie=False)
    assert answer.status_code == 200
    check(answer.text)
    assert 'value="police"' in answer.text
    assert 'action="/log-in/agency"' in answer.text
    assert "evil.example" not in answer.text
    assert site.asking.told == []
    assert "concordat-sign-in" not in answer.cookies


def test_a_name_that_nobody_has_is_said_to_be_none(site: SiteClient) -> None:
    site.asking.refusals["sharing", "begin_sign_in"] = NotVisible()
    answer = site.post("/log-in/agency", {"agency": "nowhere"}, cookie=False, origin=HERE)
    assert answer.status_code == 422
    check(answer.text)
    assert "No agency signs in under this name" in answer.text


def test_another_site_begins_nothing_by_a_form(site: SiteClient) -> None:
    answer = site.post("/log-in/agency", {"agency": "police"}, cookie=False, origin="https://evil.example")
    assert answer.status_code == 403
    assert site.asking.told == []


def test_the_way_back_makes_a_session_and_goes_on(site: SiteClient) -> None:
    answer = back(site, f"code=the-code&state={STATE}&iss=https%3A%2F%2Fid.police.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    assert answer.cookies["concordat"].value == TOKEN
    assert answer.cookies["concordat-sign-in"].value == ""
    ((_, method, request, _),) = site.asking.told
    assert (method, request.code, request.state, request.binding) == (
        "finish_sign_in",
        "the-code",
        STATE,
        BINDING,
    )
    assert request.issuer == "https://id.police.example"
    assert request.agency_id == AGENCY["id"]  # at whose address it came back
    assert len(request.attempt) == 64


@pytest.mark.parametrize(
    ("query", "held"),
    [
        (f"code=c&state={STATE}", ""),
        (f"code=c&state={STATE}", "x"),
        (f"code=c&state={STATE}", f"{'o' * 43}.{BINDING}.%2F"),
        ("code=c", HELD),
        (f"code=c&state={'x' * 43}", HELD),
        (f"state={STATE}", HELD),
        (f"code={'c' * 3000}&state={STATE}", HELD),
        (f"code=c%20c&state={STATE}", HELD),
        ("", ""),
    ],
)
def test_a_way_back_that_was_not_begun_here_asks_nobody(site: SiteClient, query: str, held: str) -> None:
    answer = back(site, query, held)
    assert answer.status_code == 401
    check(answer.text)
    assert site.asking.told == []
    assert "concordat" not in answer.cookies


def test_who_cancels_there_is_told_so(site: SiteClient) -> None:
    answer = back(site, f"error=access_denied&state={STATE}")
    assert answer.status_code == 401
    assert "It was cancelled" in answer.text


@pytest.mark.parametrize(
    ("problem", "status"), [(SignInFailed(), 401), (AccountDisabled(), 403), (ProviderAway(), 503)]
)
def test_a_refusal_is_a_page_in_plain_words(site: SiteClient, problem: ConcordatError, status: int) -> None:
    site.asking.refusals["sharing", "finish_sign_in"] = problem
    answer = back(site, f"code=the-code&state={STATE}")
    assert answer.status_code == status
    check(answer.text)
    assert answer.headers["x-request-id"] in answer.text
    assert "the-code" not in answer.text
    assert "concordat" not in answer.cookies


def test_the_authenticator_is_asked_for_in_between(site: SiteClient) -> None:
    site.asking.refusals["sharing", "finish_sign_in"] = TotpRequired()
    answer = back(site, f"code=the-code&state={STATE}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in/code")
    assert "concordat-sign-in" not in answer.cookies
    check(site.get("/log-in/code", cookie=False).text)

    def type_code() -> Any:
        headers = {
            "Cookie": f"concordat-sign-in={HELD}",
            "Origin": HERE,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return site._client.simulate_post("/log-in/code", headers=headers, body="totp=123+456")

    site.asking.refusals["sharing", "finish_sign_in"] = BadCredentials()
    answer = type_code()
    assert answer.status_code == 401
    assert "This code is not right" in answer.text
    check(answer.text)
    site.asking.refusals.clear()
    answer = type_code()
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    assert (site.asking.told[-1][2].totp, site.asking.told[-1][2].code) == ("123456", None)


def test_an_administrator_sets_the_provider_and_never_sees_its_secret(site: SiteClient) -> None:
    path = f"/administration/agencies/{AGENCY['id']}/identity-provider"
    shown = site.get(path)
    check(shown.text)
    assert f"/log-in/callback/{AGENCY['id']}<" in shown.text
    typed = {
        "once": hidden(shown, "once"),
        "etag": hidden(shown, "etag"),
        "alias": "police",
        "issuer": "https://id.police.example",
        "client_id": "concordat",
        "client_secret": "very secret",
        "claim": "email",
        "second_factors": "mfa\r\n otp \r\n",
        "passwords": "allowed",
    }
    answer = site.post(path, typed)
    assert answer.status_code == 422  # a blank in the secret
    assert "very secret" not in answer.text
    answer = site.post(path, {**typed, "client_secret": "very-secret"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=saved")
    ((_, method, request, _),) = site.asking.told
    assert (method, request.if_match) == ("put_identity_provider", hidden(shown, "etag"))
    assert request.provider.second_factors == ("mfa", "otp")
    assert (request.provider.client_secret, request.provider.passwords) == ("very-secret", "allowed")
    answer = site.post(f"{path}/remove", {"once": hidden(shown, "once")})
    assert answer.headers["location"] == f"{path}?done=gone"


def test_where_passwords_are_refused_none_is_handed_over_or_offered(site: SiteClient) -> None:
    replies = site.asking.replies
    replies["sharing", "reset_user"] = {"id": "u2", "state": "invited", "passwords": "refused"}
    replies["sharing", "get_user"] = {**replies["sharing", "get_user"], "passwords": "refused"}
    shown = site.get("/administration/users/u2")
    assert "Reset sign-in" in shown.text
    assert "Reset password" not in shown.text
    answer = site.post("/administration/users/u2/reset", {"once": hidden(shown, "once")})
    check(answer.text)
    assert "own sign-in" in answer.text
    assert "/activate" not in answer.text


def test_everybody_is_told_of_the_agencys_own_sign_in_before_and_after_a_refusal(site: SiteClient) -> None:
    """Whoever is meant: the page does not say whether there is such an account, nor how it logs in."""
    said = "If your agency has its own sign-in"
    assert said in site.get("/log-in", cookie=False).text
    site.asking.refusals["sharing", "log_in"] = BadCredentials()
    typed = {"username": "somebody", "password": "anything"}
    answer = site.post("/log-in", typed, cookie=False, csrf=False, origin=ORIGIN)
    assert (answer.status_code, said in answer.text) == (401, True)


def test_an_administrator_can_say_that_an_account_stays_disabled(site: SiteClient) -> None:
    """The identity system that disabled it could else enable it."""
    replies = site.asking.replies
    replies["sharing", "get_user"] = {**replies["sharing", "get_user"], "state": "disabled"}
    # Disabled by an administrator: no system can enable it, and there is nothing to keep.
    assert "identity system" not in site.get("/administration/users/u2").text
    replies["sharing", "get_user"] = {**replies["sharing", "get_user"], "system_may_enable": True}
    shown = site.get("/administration/users/u2")
    check(shown.text)
    assert "Keep it disabled" in shown.text
    site.post("/administration/users/u2/state", {"state": "disabled", "etag": hidden(shown, "etag")})
    ((_, method, request, _),) = site.asking.told
    assert (method, request.changes.state) == ("patch_user", "disabled")
