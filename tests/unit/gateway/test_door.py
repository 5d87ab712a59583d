"""What is refused at the door, and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sessions import Sessions, hash_secret
from services.contracts.errors import Invalid, NotVisible
from tests.unit.gateway.conftest import TOKEN, Gateway, Played, problem

LONG = b'{"agency_id": "a", "name": "' + b"x" * (1024 * 1024) + b'"}'
TEAM = b'{"agency_id": "a", "name": "N"}'


@pytest.mark.parametrize(
    ("body", "kind", "status", "code", "pointers"),
    [
        (b'{"name": ', "application/json", 400, "malformed", None),
        (b"\xff\xfe", "application/json", 400, "malformed", None),
        (b'{"name": "\xff"}', "application/json", 400, "malformed", None),
        (
            b'{"agency_id": "a", "name": ' + b"[" * 1000 + b"]" * 1000 + b"}",
            "application/json",
            400,
            "malformed",
            None,
        ),
        (b"[]", "application/json", 422, "invalid", [""]),
        (b"", "application/json", 400, "malformed", None),
        (b'{"agency_id": "a"}', "application/json", 422, "invalid", ["/name"]),
        (b'{"agency_id": "a", "name": 7}', "application/json", 422, "invalid", ["/name"]),
        (b'{"agency_id": {"$ne": 1}, "name": "N"}', "application/json", 422, "invalid", ["/agency_id"]),
        (b'{"agency_id": "a", "name": "N", "more": 1}', "application/json", 422, "invalid", ["/more"]),
        (
            b'{"agency_id": "a", "name": "N", "team_id": "t"}',
            "application/json",
            422,
            "invalid",
            ["/team_id"],
        ),
        (TEAM, "text/plain", 415, "unsupported_type", None),
        (TEAM, "application/x-www-form-urlencoded", 415, "unsupported_type", None),
        (LONG, "application/json", 413, "too_large", None),
    ],
)
def test_a_bad_body_is_a_problem_with_pointers(
    gateway: Gateway,
    played: Played,
    body: bytes,
    kind: str,
    status: int,
    code: str,
    pointers: list[str] | None,
) -> None:
    result = gateway.ask("POST", "/teams", body=body, headers={"Content-Type": kind})
    assert problem(result) == (status, code)
    assert [error["pointer"] for error in result.json.get("errors", ())] == (pointers or [])
    assert played.asked == []
    unread = status in {413, 415}
    assert result.headers.get("connection") == ("close" if unread else None)


def test_every_post_but_the_listed_ones_needs_a_key(gateway: Gateway, played: Played) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for path in (
        "/teams",
        "/cases",
        "/users/u/resets",
        "/me/totp",
        "/me/passkeys",
        "/activations",
        "/cases/c/shares",
    ):
        result = gateway.bare("POST", f"/api/v1{path}", json={}, headers=bearer)
        assert problem(result) == (400, "idempotency_key_required")
    for key in ("k" * 129, "clé"):
        headers = {**bearer, "Idempotency-Key": key}
        assert problem(gateway.bare("POST", "/api/v1/teams", json={}, headers=headers)) == (400, "malformed")
    played.answers["cases.search_cases"] = {"items": [], "next": None}
    assert (
        gateway.bare(
            "POST", "/api/v1/searches", json={"in": "cases", "text": "a"}, headers=bearer
        ).status_code
        == 200
    )


def test_a_reason_that_is_none_is_malformed(gateway: Gateway) -> None:
    result = gateway.ask("GET", "/cases/c", headers={"Access-Reason": "curiosity"})
    assert problem(result) == (400, "malformed")


def test_unknown_paths_and_methods_are_problems(gateway: Gateway) -> None:
    assert problem(gateway.ask("GET", "/nowhere")) == (404, "not_found")
    assert problem(gateway.ask("GET", "/cases/")) == (404, "not_found")
    refused = gateway.ask("DELETE", "/cases")
    assert problem(refused) == (405, "method_not_allowed")
    assert set(refused.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST", "OPTIONS"}
    allowed = gateway.ask("OPTIONS", "/cases")
    assert allowed.status_code == 200
    assert "POST" in allowed.headers["allow"]


def test_every_answer_has_the_security_headers(gateway: Gateway) -> None:
    for result in (
        gateway.ask("GET", "/nowhere"),
        gateway.ask("GET", "/cases"),
        gateway.bare("GET", "/livez"),
    ):
        assert result.headers["cache-control"] == "no-store"
        assert result.headers["x-content-type-options"] == "nosniff"
        assert result.headers["referrer-policy"] == "no-referrer"
        assert result.headers["content-security-policy"].startswith("default-src 'none'")
        assert "strict-transport-security" not in result.headers


def test_guessing_case_ids_is_limited_per_principal(gateway: Gateway, played: Played) -> None:
    played.answers["cases.get_case"] = NotVisible()
    for number in range(300):
        assert gateway.ask("GET", f"/cases/c-{number}").status_code == 404
    refused = gateway.ask("GET", "/cases/c-301")
    assert problem(refused) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
    assert gateway.ask("GET", "/cases").status_code == 200  # lists are not guesses
    played.caller = {"kind": "user", "id": "somebody-else"}
    assert gateway.ask("GET", "/cases/c-1").status_code == 404


class TestCookies:
    def test_a_read_needs_no_proof(self, gateway: Gateway, played: Played) -> None:
        assert gateway.bare("GET", "/api/v1/me", headers={"Cookie": f"concordat={TOKEN}"}).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "told"),
        [
            ({}, 403),
            ({"X-CSRF-Token": "guess"}, 403),
            ({"X-CSRF-Token": Sessions.csrf(TOKEN)}, 201),
            ({"Origin": "http://falconframework.org"}, 201),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
            ({"Sec-Fetch-Site": "same-origin"}, 201),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"X-CSRF-Token": "guess", "Origin": "http://falconframework.org"}, 403),
        ],
    )
    def test_a_change_proves_that_our_own_page_asks(
        self, gateway: Gateway, played: Played, headers: dict[str, str], told: int
    ) -> None:
        played.answers["sharing.create_team"] = {"id": "t"}
        headers = {"Cookie": f"concordat={TOKEN}", "Idempotency-Key": "k", **headers}
        result = gateway.bare("POST", "/api/v1/teams", json={"agency_id": "a", "name": "N"}, headers=headers)
        assert result.status_code == told
        if told == 403:
            assert problem(result) == (403, "csrf_required")
            assert played.identified == []

    def test_two_cookies_are_none(self, gateway: Gateway) -> None:
        headers = {"Cookie": f"concordat={TOKEN}; concordat=other"}
        assert problem(gateway.bare("GET", "/api/v1/me", headers=headers)) == (401, "unauthenticated")

    def test_a_bearer_token_needs_no_proof_whatever_cookie_comes_along(
        self, gateway: Gateway, played: Played
    ) -> None:
        played.answers["sharing.create_team"] = {"id": "t"}
        body = {"agency_id": "a", "name": "N"}
        assert gateway.ask("POST", "/teams", json=body, headers={"Cookie": "concordat=x"}).status_code == 201


class TestSecure:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {
            "http_host": "0.0.0.0",
            "public_url": "https://concordat.example",
            "trusted_proxies": "127.0.0.0/8, 10.0.0.0/8",
        }

    def test_the_cookie_is_bound_to_the_host(self, gateway: Gateway) -> None:
        told = [
            gateway.bare("GET", "/api/v1/me", headers={"Cookie": f"{name}={TOKEN}"}).status_code
            for name in ("__Host-concordat", "concordat")
        ]
        assert told == [200, 401]

    def test_so_is_the_cookie_of_a_device(self, gateway: Gateway, played: Played) -> None:
        for name, told in (("__Host-concordat-device", True), ("concordat-device", False)):
            gateway.ask("GET", "/me", headers={"Cookie": f"{name}=d-1.{'s' * 43}"})
            assert (played.identified[-1]["device"] is not None) is told

    def test_browsers_are_told_to_stay_on_https(self, gateway: Gateway) -> None:
        assert "max-age" in gateway.bare("GET", "/livez").headers["strict-transport-security"]

    @pytest.mark.parametrize(
        ("forwarded", "believed"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.1.2.3", "203.0.113.7"),
            ("nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
        ],
    )
    def test_the_address_is_the_last_that_a_proxy_of_ours_saw(
        self, gateway: Gateway, played: Played, forwarded: str, believed: str
    ) -> None:
        gateway.ask("GET", "/me", headers={"X-Forwarded-For": forwarded})
        assert played.identified[0]["address"] == believed


def test_an_address_that_a_request_says_of_itself_counts_for_nothing(
    gateway: Gateway, played: Played
) -> None:
    gateway.ask("GET", "/me", headers={"X-Forwarded-For": "203.0.113.7"})
    assert played.identified[0]["address"] == "127.0.0.1"


class TestDevices:
    """What a browser proves to be comes by its cookie alone; the secret in it goes no further than here."""

    SECRET = "s" * 43

    def identified(self, gateway: Gateway, played: Played, cookie: str) -> Any:
        gateway.ask("GET", "/me", headers={"Cookie": cookie, "User-Agent": "Managed Laptop 7"})
        return played.identified[-1]["device"]

    def test_the_cookie_is_told_as_its_device_and_the_hash_of_its_secret(
        self, gateway: Gateway, played: Played
    ) -> None:
        told = self.identified(gateway, played, f"concordat-device=d-1.{self.SECRET}")
        assert told == {"id": "d-1", "hash": hash_secret(self.SECRET)}
        assert self.SECRET not in str(played.identified)

    @pytest.mark.parametrize(
        "cookie",
        [
            "concordat-device=d-1",
            f"concordat-device=.{'s' * 43}",
            "concordat-device=d-1.short",
            f"concordat-device=%24ne.{'s' * 43}",
            f"concordat-device=d-1.{'a' * 43}; concordat-device=d-2.{'a' * 43}",
            "other=1",
        ],
    )
    def test_what_is_no_such_cookie_proves_nothing(
        self, gateway: Gateway, played: Played, cookie: str
    ) -> None:
        assert self.identified(gateway, played, cookie) is None

    def test_an_enrolment_answers_with_the_cookie(self, gateway: Gateway, played: Played) -> None:
        device = {
            "id": "d-1", "name": "Laptop 7", "class": "managed", "agency_id": "a", "user_id": None,
            "state": "enrolled", "enrolled_at": "2026-11-24T12:00:00Z",
            "created_at": "2026-11-24T12:00:00Z", "updated_at": "2026-11-24T12:00:00Z",
        }  # fmt: skip
        played.answers["sharing.enrol_device"] = device
        result = gateway.ask("POST", "/devices/enrolments", json={"code": "ABCD-EFGH-JKMN"})
        assert (result.status_code, result.json) == (201, device)
        cookie = result.cookies["concordat-device"]
        assert (cookie.http_only, cookie.same_site) == (True, "Strict")
        ((method, asked, key),) = played.asked
        assert (method, asked["enrolment"]) == ("sharing.enrol_device", {"code": "ABCD-EFGH-JKMN"})
        assert key is not None
        assert asked["secret_hash"] == hash_secret(cookie.value.partition(".")[2])

    def test_a_refused_enrolment_sets_no_cookie(self, gateway: Gateway, played: Played) -> None:
        played.answers["sharing.enrol_device"] = Invalid()
        result = gateway.ask("POST", "/devices/enrolments", json={"code": "ABCD"})
        assert problem(result) == (422, "invalid")
        assert "concordat-device" not in result.cookies
