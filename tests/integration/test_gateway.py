"""The gateway as its clients meet it: real HTTP, the real broker and store, real services behind it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import falcon.testing
import httpx
import pytest

from deploy.launcher.cell import Cell
from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.cell import running
from tests.waiting import until

PERSONAL = "Mrs Amelia Hartley-Fenwick of 14 Larch Road"


@pytest.fixture(scope="module")
def whole() -> Iterator[Cell]:
    with running(
        {"echo": 1, "mirror": 1, "gateway": 1}, environment={"gateway": {"CONCORDAT_ECHO": "1"}}
    ) as cell:
        yield cell


@pytest.fixture(scope="module")
def client(whole: Cell) -> Iterator[httpx.Client]:
    port = whole.processes()["gateway-1"].port
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield client


def _change(client: httpx.Client, note: str, text: str, key: str) -> httpx.Response:
    return client.post(
        f"/api/v1/echo/notes/{note}/changes", json={"text": text}, headers={"Idempotency-Key": key}
    )


def _is_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def test_a_query_goes_to_the_service_and_back(client: httpx.Client) -> None:
    response = client.post("/api/v1/echo/sayings", json={"text": "héllo"})
    assert (response.status_code, response.json()) == (200, {"text": "héllo"})
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_change_is_seen_by_a_read_and_reaches_the_mirror(client: httpx.Client) -> None:
    assert _change(client, "seen", "one", "k1").json() == {"note_id": "seen", "version": 1}
    assert client.get("/api/v1/echo/notes/seen").json() == {"note_id": "seen", "text": "one", "version": 1}
    state = until(lambda: _applied(client, "seen", 1))
    assert state == {"note_id": "seen", "version": 1, "applied": 1}


def _applied(client: httpx.Client, note: str, number: int) -> dict[str, Any] | None:
    state: dict[str, Any] = client.get(f"/api/v1/echo/notes/{note}/mirror").json()
    return state if state.get("applied") == number else None


def test_a_repeated_command_has_one_effect_and_one_answer(client: httpx.Client) -> None:
    first = _change(client, "repeated", "one", "same")
    second = _change(client, "repeated", "one", "same")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() == {"note_id": "repeated", "version": 1}
    _is_problem(_change(client, "repeated", "other", "same"), 422, "idempotency_key_reused")


def test_a_command_without_a_usable_key_is_refused(client: httpx.Client) -> None:
    path = "/api/v1/echo/notes/keyless/changes"
    _is_problem(client.post(path, json={"text": "x"}), 400, "idempotency_key_required")
    _is_problem(
        client.post(path, json={"text": "x"}, headers={"Idempotency-Key": "k" * 129}), 400, "malformed"
    )
    _is_problem(client.get("/api/v1/echo/notes/keyless"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b'{"text": ', "application/json", 400, "malformed"),
        (b'{"text": 7}', "application/json", 422, "invalid"),
        (b'{"text": "x", "more": 1}', "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"\xff\xfe", "application/json", 400, "malformed"),
        (b"[" * 100_000, "application/json", 400, "malformed"),
        (b"text=x", "application/x-www-form-urlencoded", 415, "unsupported_type"),
        (b'{"text": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "too_large"),
        (b'{"text": "' + b"x" * 10_001 + b'"}', "application/json", 422, "invalid"),
    ],
)
def test_bad_input_gets_a_problem_and_never_a_server_error(
    client: httpx.Client, body: bytes, kind: str, status: int, code: str
) -> None:
    response = client.post("/api/v1/echo/sayings", content=body, headers={"Content-Type": kind})
    _is_problem(response, status, code)


def test_after_a_body_that_was_not_read_the_connection_is_closed_and_the_client_told(
    client: httpx.Client,
) -> None:
    body, kind = b'{"text": "' + b"x" * 1_100_000 + b'"}', {"Content-Type": "application/json"}
    for _ in range(20):
        refused = client.post("/api/v1/echo/sayings", content=body, headers=kind)
        assert (refused.status_code, refused.headers["connection"]) == (413, "close")
        assert "connection" not in client.post("/api/v1/echo/sayings", json={"text": "next"}).headers


def test_a_refusal_names_the_field_and_never_repeats_its_value(client: httpx.Client) -> None:
    response = client.post("/api/v1/echo/sayings", json={"text": [PERSONAL]})
    problem = _is_problem(response, 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == ["/text"]
    assert "Amelia" not in response.text


def test_unknown_paths_and_methods_are_problems_too(client: httpx.Client) -> None:
    _is_problem(client.get("/api/v1/nowhere"), 404, "not_found")
    refused = client.delete("/api/v1/echo/sayings")
    _is_problem(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["allow"]
    _is_problem(client.get("/api/v1/echo/notes/no%20such%20id"), 404, "not_found")


def test_a_request_id_is_kept_if_it_looks_like_one(client: httpx.Client) -> None:
    kept = client.get("/livez", headers={"X-Request-Id": "client-chose-this-1"})
    assert kept.headers["x-request-id"] == "client-chose-this-1"
    replaced = client.get("/livez", headers={"X-Request-Id": PERSONAL})
    assert re.fullmatch(r"[0-9a-f]{32}", replaced.headers["x-request-id"])


def test_metrics_name_routes_and_no_ids(client: httpx.Client) -> None:
    client.get("/api/v1/echo/notes/someones-note")
    text = client.get("/metrics").text
    assert 'route="GET /api/v1/echo/notes/{note_id}"' in text
    assert "someones-note" not in text


def test_while_a_service_is_down_its_callers_get_503_in_time_and_others_go_on(
    client: httpx.Client, whole: Cell
) -> None:
    _change(client, "kept", "one", "before")
    whole.stop("mirror-1")
    try:
        response = client.get("/api/v1/echo/notes/kept/mirror")
        _is_problem(response, 503, "unavailable")
        assert response.headers["retry-after"].isdigit()
        assert response.elapsed.total_seconds() < 5
        assert client.get("/api/v1/echo/notes/kept").json()["version"] == 1
    finally:
        whole.start("mirror-1")
    until(lambda: _applied(client, "kept", 1))


def test_no_personal_data_reaches_a_log_or_a_metric(client: httpx.Client, whole: Cell) -> None:
    _change(client, "private", PERSONAL, "p1")
    client.post("/api/v1/echo/sayings", json={"text": PERSONAL, PERSONAL: 1})
    client.get(f"/api/v1/echo/notes/{PERSONAL}")
    until(lambda: _applied(client, "private", 1))
    seen = [client.get("/metrics").text]
    seen += [path.read_text(errors="replace") for path in whole.places.logs.rglob("*") if path.is_file()]
    assert len(seen) > 4
    for text in seen:
        assert "Amelia" not in text


def test_the_proving_ground_is_there_only_when_asked_for(whole: Cell) -> None:
    settings = GatewaySettings(rabbitmq_url=whole.rabbitmq_url("gateway"), keys_dir=whole.keys_dir)
    client = falcon.testing.TestClient(create_app(settings))
    assert client.simulate_post("/api/v1/echo/sayings", json={"text": ""}).status_code == 404


def test_a_body_that_drips_in_is_answered_in_time(whole: Cell) -> None:
    port = whole.processes()["gateway-1"].port
    assert port is not None
    lines = (b"POST /api/v1/echo/sayings HTTP/1.1", b"Host: x", b"Content-Type: application/json")
    head = b"\r\n".join((*lines, b"Content-Length: 99", b"", b""))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head + b"{")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503")
    assert time.monotonic() - began < 5


def test_an_invented_method_does_not_reach_a_metric(client: httpx.Client) -> None:
    client.request("SMITH-1970", "/livez")
    assert "SMITH" not in client.get("/metrics").text
