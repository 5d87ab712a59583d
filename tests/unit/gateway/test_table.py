"""What the route table makes of a request, and of an answer."""

from __future__ import annotations

import hashlib

import pytest

from services.contracts.errors import (
    FieldError,
    Invalid,
    NotVisible,
    ProcedureUnsigned,
    Stale,
    Unauthenticated,
    Unavailable,
)
from tests.unit.gateway.conftest import TOKEN, Gateway, Played, problem

SHOWN = {"entry_id": "e-9", "by": "2026-11-24T12:00:00Z"}
CASE = {"id": "c-1", "reference": "R", "etag": "v7", "disclosed": SHOWN}


def test_a_read_is_identified_with_its_arguments_and_asked_once(gateway: Gateway, played: Played) -> None:
    played.answers["cases.get_case"] = CASE
    result = gateway.ask("GET", "/cases/c-1", headers={"Access-Reason": "investigation"})
    assert result.json == {"id": "c-1", "reference": "R"}
    assert played.asked == [("cases.get_case", {"case_id": "c-1", "access_reason": "investigation"}, None)]
    sent = b'{"case_id":"c-1","access_reason":"investigation"}'
    assert played.identified[0]["args_hash"] == hashlib.sha256(sent).hexdigest()
    assert played.identified[0]["request_id"] == result.headers["x-request-id"]
    assert {k: played.identified[0][k] for k in ("token", "audience", "method")} == {
        "token": TOKEN,
        "audience": "cases",
        "method": "get_case",
    }


def test_what_a_view_says_of_itself_becomes_headers(gateway: Gateway, played: Played) -> None:
    played.answers["cases.get_case"] = CASE
    headers = gateway.ask("GET", "/cases/c-1").headers
    assert (headers["etag"], headers["consultation"], headers["inclusion-by"]) == (
        '"v7"',
        "e-9",
        "2026-11-24T12:00:00Z",
    )


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ('"v7"', 304),
        ('W/"v7"', 304),
        ('"v6", "v7"', 304),
        ("*", 304),
        ('"v6"', 200),
        ("v7", 200),
    ],
)
def test_a_client_that_has_it_already_gets_304_and_the_entry(
    gateway: Gateway, played: Played, given: str, status: int
) -> None:
    played.answers["cases.get_case"] = CASE
    result = gateway.ask("GET", "/cases/c-1", headers={"If-None-Match": given})
    assert result.status_code == status
    assert result.headers["consultation"] == "e-9"
    assert bool(result.content) is (status == 200)


def test_head_says_what_get_says_without_the_body(gateway: Gateway, played: Played) -> None:
    played.answers["cases.get_case"] = CASE
    result = gateway.ask("HEAD", "/cases/c-1")
    assert (result.status_code, result.content, result.headers["etag"]) == (200, b"", '"v7"')


def test_null_and_absent_are_two_things(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.get_agency"] = {"id": "a", "area": None}
    assert gateway.ask("GET", "/agencies/a").json == {"id": "a", "area": None}


def test_a_list_says_where_it_goes_on(gateway: Gateway, played: Played) -> None:
    played.answers["cases.list_cases"] = {"items": [], "next": "abc="}
    result = gateway.ask("GET", "/cases", params={"status": "open", "limit": "2", "cursor": "old"})
    assert result.json == {"items": [], "next": "abc="}
    assert result.headers["link"] == '</api/v1/cases?status=open&limit=2&cursor=abc%3D>; rel="next"'
    assert played.asked[0][1] == {"status": "open", "limit": 2, "cursor": "old"}


def test_parameters_have_the_names_of_the_api(gateway: Gateway, played: Played) -> None:
    played.answers["audit.list_entries"] = {"items": [], "next": None}
    gateway.ask("GET", "/audit/entries", params={"from": "2026-01-01T00:00:00Z", "outcome": "shown"})
    assert played.asked[0][1] == {"since": "2026-01-01T00:00:00Z", "outcome": "shown"}
    refused = gateway.ask("GET", "/audit/entries", params={"to": "yesterday"})
    assert problem(refused) == (422, "invalid")
    assert [error["pointer"] for error in refused.json["errors"]] == ["/to"]


@pytest.mark.parametrize(
    ("params", "pointer", "code"),
    [
        ({"limit": "many"}, "/limit", "wrong_form"),
        ({"limit": "101"}, "/limit", "out_of_range"),
        ({"cursor": "$ne"}, "/cursor", "wrong_form"),
        ({"status": "$ne"}, "/status", "not_a_choice"),
        ({"nonsense": "1"}, "/nonsense", "unknown_field"),
        ({"status": ["open", "closed"]}, "/status", "not_a_choice"),
        ({"include": "entries"}, "/include", "unknown_field"),
    ],
)
def test_a_wrong_parameter_is_named(
    gateway: Gateway, played: Played, params: dict[str, str], pointer: str, code: str
) -> None:
    refused = gateway.ask("GET", "/cases", params=params)
    assert problem(refused) == (422, "invalid")
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [(pointer, code)]
    assert played.asked == []


def test_a_command_has_a_key_of_its_client_and_route(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.create_team"] = {"id": "t"}
    body = {"agency_id": "a", "name": "North"}
    assert gateway.ask("POST", "/teams", json=body).status_code == 201
    gateway.ask("POST", "/teams", json=body)
    gateway.ask("POST", "/teams", json=body, headers={"Idempotency-Key": "other"})
    keys = [key for _, _, key in played.asked]
    assert keys[0] == keys[1] == hashlib.sha256(b"POST|/api/v1/teams|k").hexdigest() != keys[2]
    sent = b'{"team":{"agency_id":"a","name":"North"}}'
    expected = hashlib.sha256(sent + b"\0" + str(keys[0]).encode()).hexdigest()
    assert played.identified[0]["args_hash"] == expected


def test_a_change_has_a_key_of_its_own(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.patch_team"] = {"id": "t"}
    for _ in range(2):
        gateway.ask("PATCH", "/teams/t", json={"name": "N"}, headers={"If-Match": '"v"'})
    first, second = (key for _, _, key in played.asked)
    assert len({first, second} - {None}) == 2
    assert played.asked[0][1] == {"team_id": "t", "if_match": "v", "changes": {"name": "N"}}


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, (428, "if_match_required")),
        ('W/"v"', (412, "stale")),
        ("v", (400, "malformed")),
        ('"v", "w"', (400, "malformed")),
    ],
)
def test_if_match_is_one_strong_tag(gateway: Gateway, header: str | None, told: tuple[int, str]) -> None:
    headers = {} if header is None else {"If-Match": header}
    assert problem(gateway.ask("PATCH", "/teams/t", json={"name": "N"}, headers=headers)) == told


def test_stale_tells_the_present_tag(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.patch_team"] = Stale(etag="v8")
    result = gateway.ask("PATCH", "/teams/t", json={"name": "N"}, headers={"If-Match": '"v7"'})
    assert problem(result) == (412, "stale")
    assert result.headers["etag"] == '"v8"'
    assert "etag" not in result.json


def test_nothing_to_say_is_204(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.revoke_share"] = {"disclosed": SHOWN}
    result = gateway.ask("DELETE", "/cases/c/shares/s", params={"reason": "wrong_recipient"})
    assert (result.status_code, result.content, result.headers["consultation"]) == (204, b"", "e-9")
    assert played.asked[0][1] == {"case_id": "c", "share_id": "s", "reason": "wrong_recipient"}


def test_without_a_session_nothing_else_is_looked_at(gateway: Gateway, played: Played) -> None:
    for method, path in (("GET", "/cases/c"), ("POST", "/cases"), ("PATCH", "/teams/t"), ("GET", "/stream")):
        result = gateway.bare(method, f"/api/v1{path}", body="{")
        assert problem(result) == (401, "unauthenticated")
        assert result.headers["www-authenticate"] == 'Bearer realm="concordat"'
    assert played.identified == []


def test_a_refusal_of_identify_reaches_the_client(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.identify"] = ProcedureUnsigned(clause="4")
    result = gateway.ask("GET", "/cases")
    assert problem(result) == (403, "procedure_unsigned")
    assert result.json["clause"] == "4"
    assert played.asked == []


def test_an_id_that_can_be_none_names_nothing_but_only_to_who_may_ask(
    gateway: Gateway, played: Played
) -> None:
    unknown = gateway.ask("GET", "/cases/no such id")
    assert problem(unknown) == (404, "not_found")
    assert played.asked == []
    assert problem(gateway.ask("GET", "/cases/-", headers={"Authorization": "Bearer x"})) == (
        401,
        "unauthenticated",
    )


def test_a_case_that_is_hidden_answers_as_one_that_there_is_not(gateway: Gateway, played: Played) -> None:
    played.answers["cases.get_case"] = NotVisible()
    answers = [
        gateway.ask("GET", f"/cases/{case}", headers={"X-Request-Id": "the-same-id"}) for case in ("a", "b")
    ]
    assert answers[0].status == answers[1].status
    assert answers[0].headers == answers[1].headers
    assert answers[0].content == answers[1].content


def test_what_a_service_refuses_keeps_its_pointers(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.create_team"] = Invalid(errors=(FieldError("/name", "taken", "Taken."),))
    result = gateway.ask("POST", "/teams", json={"agency_id": "a", "name": "N"})
    assert problem(result) == (422, "invalid")
    assert result.json["errors"] == [{"pointer": "/name", "code": "taken", "detail": "Taken."}]


def test_a_caller_that_its_audience_does_not_believe_is_our_trouble(gateway: Gateway, played: Played) -> None:
    played.answers["cases.list_cases"] = Unauthenticated(cause="caller: expired")
    assert problem(gateway.ask("GET", "/cases")) == (503, "unavailable")


def test_a_part_that_is_down_is_503_with_retry_after(gateway: Gateway, played: Played) -> None:
    played.answers["cases.list_cases"] = Unavailable()
    result = gateway.ask("GET", "/cases")
    assert problem(result) == (503, "unavailable")
    assert result.headers["retry-after"] == "1"


def test_a_body_that_may_be_left_out_may(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.rotate_secret"] = {"id": "c"}
    assert gateway.ask("POST", "/clients/c/secrets").status_code == 201
    assert gateway.ask("POST", "/clients/c/secrets", json={"overlap_seconds": 1}).status_code == 201
    assert [asked[1].get("rotation") for asked in played.asked] == [{}, {"overlap_seconds": 1}]


def test_a_search_asks_whoever_holds_the_things(gateway: Gateway, played: Played) -> None:
    for where, asked in (
        ("directory", "sharing.search_directory"),
        ("cases", "cases.search_cases"),
        ("subjects", "cases.search_subjects"),
    ):
        played.answers[asked] = {"items": [], "next": None}
        result = gateway.bare(
            "POST",
            "/api/v1/searches",
            json={"in": where, "text": "ann"},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        assert result.json == {"items": [], "next": None}
        assert played.asked[-1] == (asked, {"text": "ann"}, None)
    refused = gateway.ask("POST", "/searches", json={"in": "cases", "text": "a", "kind": "person"})
    assert [error["pointer"] for error in refused.json["errors"]] == ["/kind"]
    refused = gateway.ask("POST", "/searches", json={"text": "a"})
    assert [error["pointer"] for error in refused.json["errors"]] == ["/in"]


def test_a_preview_is_the_terms_and_what_they_would_show(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.check_share"] = {"level": "read", "disclosed": None}
    played.answers["cases.preview_case"] = {**CASE}
    share = {
        "agency_id": "a",
        "members": [{"user_id": "u"}],
        "level": "read",
        "sections": ["summary"],
        "purpose": "p",
        "protocol_id": "x",
        "legal_gateway": "g",
        "consent": {"state": "given"},
        "expires_at": "2027-01-01T00:00:00Z",
    }
    result = gateway.ask("POST", "/cases/c/shares/preview", json=share)
    assert result.json == {"level": "read", "shows": {"id": "c-1", "reference": "R"}}
    assert result.headers["consultation"] == "e-9"
    assert problem(gateway.ask("POST", "/cases/-/shares/preview", json=share)) == (404, "not_found")


def test_log_in_tells_the_address_and_needs_no_session(gateway: Gateway, played: Played) -> None:
    played.answers["sharing.log_in"] = {
        "id": "s",
        "token": "t",
        "expires_at": "2027-01-01T00:00:00Z",
        "idle_expires_at": "2027-01-01T00:00:00Z",
        "must": [],
    }
    result = gateway.bare("POST", "/api/v1/sessions", json={"username": "ann", "password": "p"})
    assert (result.status_code, result.json["token"]) == (201, "t")
    asked = played.asked[0][1]
    assert asked["address"] == "127.0.0.1"
    assert played.identified == []
    request_id = result.headers["x-request-id"]
    again = gateway.bare(
        "POST",
        "/api/v1/sessions",
        json={"username": "ann", "password": "p"},
        headers={"X-Request-Id": request_id},
    )
    assert again.headers["x-request-id"] == request_id
    # What makes two deliveries one log-in is not the client's to say.
    assert len({asked["attempt"], played.asked[1][1]["attempt"], request_id}) == 3
