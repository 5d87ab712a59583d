"""The API as its clients meet it: real gateway, real services, bad input of every kind, streams, export."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.demo import story
from deploy.demo.api import Api
from gateway.operations import Operation
from gateway.routes import ROUTES
from tests.checks.ground import Ground
from tests.waiting import until

PERSONAL = "Mrs Amelia Hartley-Fenwick of 14 Larch Road"


# A system is started and filled for the first test.
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def officer(place: Ground) -> Api:
    return place.sign_in("Cleveland Police", "practitioner")


@pytest.fixture(scope="module")
def stranger(place: Ground) -> Api:
    return place.sign_in("Cleveland Fire and Rescue", "practitioner")


@pytest.fixture(scope="module")
def team(officer: Api) -> str:
    return str(officer.get("/me")["teams"][0]["id"])


@pytest.fixture(scope="module")
def case(officer: Api, team: str) -> dict[str, Any]:
    made: dict[str, Any] = officer.post("/cases", _case(team))
    return made


@pytest.fixture
def http(place: Ground) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{place.url}/api/v1", timeout=10, trust_env=False) as client:
        yield client


def _case(team: str, **more: Any) -> dict[str, Any]:
    return {
        "template": "complex_asb",
        "title": "Noise at night",
        "priority": "medium",
        "marking": "official",
        "owner_team_id": team,
        "subjects": [],
        **more,
    }


def _as(api: Api, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"Authorization": f"Bearer {api.token}", **named}


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def _problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    said = response.json()
    assert said["status"] == response.status_code
    assert said["request_id"] == response.headers["x-request-id"]
    assert PERSONAL not in response.text
    return response.status_code, said["code"]


# --- bad input: nothing is stored ---


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": {"$ne": ""}}, "/title"),
        ({"title": "x" * 121}, "/title"),
        ({"title": 7}, "/title"),
        ({"owner_team_id": {"$gt": ""}}, "/owner_team_id"),
        ({"template": "invented"}, "/template"),
        ({"subjects": [{"subject_id": {"$ne": 1}, "role": "victim"}]}, "/subjects/0/subject_id"),
        ({"subjects": [{"subject_id": "a", "role": "victim", "more": 1}]}, "/subjects/0/more"),
        ({"subjects": "all"}, "/subjects"),
        ({"owner": "me"}, "/owner"),
        ({"id": "0"}, "/id"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    http: httpx.Client, officer: Api, team: str, change: dict[str, Any], pointer: str
) -> None:
    before = [one["id"] for one in officer.all("/cases?mine=owned")]
    body = {**_case(team, summary=PERSONAL), **change}
    response = http.post("/cases", json=body, headers=_as(officer) | _key())
    assert _problem(response) == (422, "invalid")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert [one["id"] for one in officer.all("/cases?mine=owned")] == before


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b'{"title": ', "application/json", (400, "malformed")),
        (b'{"title": "\xff\xfe"}', "application/json", (400, "malformed")),
        (b'{"title": ' + b"[" * 1000 + b"]" * 1000 + b"}", "application/json", (400, "malformed")),
        (b'{"title": ' + b'{"a":' * 1000 + b"1" + b"}" * 1001, "application/json", (400, "malformed")),
        (b"[]", "application/json", (422, "invalid")),
        (b"{}", "text/plain", (415, "unsupported_type")),
        (b"a=b", "application/x-www-form-urlencoded", (415, "unsupported_type")),
        (b'{"title": "' + b"x" * (1024 * 1024) + b'"}', "application/json", (413, "too_large")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    http: httpx.Client, officer: Api, body: bytes, kind: str, told: tuple[int, str]
) -> None:
    headers = _as(officer, Content_Type=kind) | _key()
    assert _problem(http.post("/cases", content=body, headers=headers)) == told


def test_a_body_of_unknown_length_is_bounded_too(http: httpx.Client, officer: Api) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    headers = _as(officer, Content_Type="application/json") | _key()
    assert _problem(http.post("/cases", content=pieces(), headers=headers)) == (413, "too_large")


def test_a_key_is_required_and_for_one_body_alone(http: httpx.Client, officer: Api, team: str) -> None:
    assert _problem(http.post("/cases", json=_case(team), headers=_as(officer))) == (
        400,
        "idempotency_key_required",
    )
    headers = _as(officer) | _key()
    first = http.post("/cases", json=_case(team), headers=headers)
    again = http.post("/cases", json=_case(team), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["consultation"] != again.headers["consultation"]
    other = http.post("/cases", json=_case(team, title="Another"), headers=headers)
    assert _problem(other) == (422, "idempotency_key_reused")


def test_a_key_belongs_to_its_route(http: httpx.Client, officer: Api, case: dict[str, Any]) -> None:
    key = _key()
    entry = {"type": "note", "occurred_at": "2026-11-01T10:00:00Z", "text": "One."}
    task = {
        "title": "Visit",
        "assignee": {"user_id": officer.get("/me")["user"]["id"]},
        "due_on": "2027-01-01",
    }
    path = f"/cases/{case['id']}"
    assert http.post(f"{path}/entries", json=entry, headers=_as(officer) | key).status_code == 201
    assert http.post(f"{path}/tasks", json=task, headers=_as(officer) | key).status_code == 201


def test_a_change_names_what_it_was_made_on(http: httpx.Client, officer: Api, case: dict[str, Any]) -> None:
    path, body = f"/cases/{case['id']}", {"priority": "high"}
    assert _problem(http.patch(path, json=body, headers=_as(officer))) == (428, "if_match_required")
    stale = http.patch(path, json=body, headers=_as(officer, If_Match='"other"'))
    assert _problem(stale) == (412, "stale")
    present = http.get(path, headers=_as(officer)).headers["etag"]
    assert stale.headers["etag"] == present
    done = http.patch(path, json=body, headers=_as(officer, If_Match=present))
    assert (done.status_code, done.json()["priority"]) == (200, "high")
    assert done.headers["etag"] not in ("", present)


def test_what_one_has_already_is_not_sent_again_but_recorded(
    http: httpx.Client, officer: Api, case: dict[str, Any]
) -> None:
    path = f"/cases/{case['id']}"
    first = http.get(path, headers=_as(officer))
    again = http.get(path, headers=_as(officer, If_None_Match=f'"x", W/{first.headers["etag"]}'))
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["consultation"] != first.headers["consultation"]
    assert again.headers["inclusion-by"]


def test_long_texts_make_a_page_short_and_never_a_fault(http: httpx.Client, officer: Api, team: str) -> None:
    made = officer.post("/cases", _case(team))
    for number in range(8):
        body = {"type": "note", "occurred_at": f"2026-11-0{number + 1}T10:00:00Z", "text": "😀" * 20_000}
        officer.post(f"/cases/{made['id']}/entries", body)
    page = http.get(f"/cases/{made['id']}/entries", params={"limit": 100}, headers=_as(officer))
    assert page.status_code == 200
    assert 0 < len(page.json()["items"]) < 8
    assert page.headers["link"].endswith('rel="next"')
    assert len(officer.all(f"/cases/{made['id']}/entries")) == 8


# --- who is not known, and what is not seen ---


def test_a_case_that_is_hidden_is_one_that_there_is_not(
    http: httpx.Client, stranger: Api, case: dict[str, Any]
) -> None:
    request_id = uuid.uuid4().hex
    for suffix in ("", "/entries", "/tasks", "/shares", "/access", "/consultations"):
        looks = []
        for case_id in (case["id"], str(uuid.uuid4())):
            found = http.get(f"/cases/{case_id}{suffix}", headers=_as(stranger, X_Request_Id=request_id))
            assert _problem(found) == (404, "not_found")
            said = {name: value for name, value in found.headers.items() if name != "date"}
            looks.append((found.status_code, said, found.content))
        assert looks[0] == looks[1]


def test_ids_that_are_none_name_nothing(http: httpx.Client, officer: Api) -> None:
    for path in ("/cases/%24ne", "/cases/no%20such", "/agencies/..%2f", f"/cases/{'x' * 65}"):
        assert _problem(http.get(path, headers=_as(officer))) == (404, "not_found")
    assert _problem(http.get("/nowhere")) == (404, "not_found")
    assert _problem(http.get("/cases/", headers=_as(officer))) == (404, "not_found")


def test_nobody_is_let_in_without_a_session(http: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Cookie": "concordat=made-up"}):
        assert _problem(http.get("/cases", headers=headers)) == (401, "unauthenticated")
    assert _problem(http.get("/stream", params={"token": "made-up"})) == (401, "unauthenticated")


def test_a_cookie_alone_changes_nothing(http: httpx.Client, officer: Api, team: str) -> None:
    cookie = {"Cookie": f"concordat={officer.token}"}
    assert http.get("/me", headers=cookie).status_code == 200
    refused = http.post("/cases", json=_case(team), headers=cookie | _key())
    assert _problem(refused) == (403, "csrf_required")
    foreign = cookie | _key() | {"Origin": "https://evil.example"}
    assert _problem(http.post("/cases", json=_case(team), headers=foreign)) == (403, "csrf_required")
    own = cookie | _key() | {"Origin": str(http.base_url).removesuffix("/api/v1/")}
    assert http.post("/cases", json=_case(team), headers=own).status_code == 201


def test_methods_that_a_path_has_not_are_told(http: httpx.Client, officer: Api) -> None:
    refused = http.delete("/cases", headers=_as(officer))
    assert _problem(refused) == (405, "method_not_allowed")
    assert "POST" in refused.headers["allow"]
    assert http.head("/me", headers=_as(officer)).status_code == 200


def test_no_path_fails_whatever_stands_in_it(http: httpx.Client, place: Ground) -> None:
    """Every method of every path, with ids of nothing and bodies that are wrong: refused, never a fault."""
    people = [
        place.sign_in("Cleveland Police", "practitioner"),
        place.sign_in("Cleveland Police", "agency_admin"),
        place.cast.sign_in(next(one for one in place.cast.users if "system_operator" in one["roles"])),
    ]
    for route in ROUTES:
        for verb, entry in route.methods.items():
            if not isinstance(entry, Operation) or route.path.endswith("/sessions/current"):
                continue
            for person in people:
                headers = _as(person, If_Match='"x"') | _key()
                body = {"json": {"$where": "1"}} if verb in ("POST", "PUT", "PATCH") else {}
                answer = http.request(verb, _filled(route.path), headers=headers, **body)
                # What needs no body at all may well be done.
                assert answer.status_code < 500, (verb, route.path, answer.text)


def _filled(path: str) -> str:
    while "{" in path:
        head, _, tail = path.partition("{")
        path = f"{head}{uuid.uuid4()}{tail.partition('}')[2]}"
    return path.removeprefix("/api/v1")


# --- limits and failures ---


def test_failed_log_ins_are_limited_and_the_limit_is_told(http: httpx.Client) -> None:
    wrong = {"username": f"nobody.{uuid.uuid4().hex[:6]}", "password": "wrong"}
    codes = [_problem(http.post("/sessions", json=wrong)) for _ in range(10)]
    assert set(codes) == {(401, "bad_credentials")}
    refused = http.post("/sessions", json=wrong)
    assert _problem(refused) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 0
    assert "r=0" in refused.headers["ratelimit"]


def test_a_service_that_is_down_is_503_in_time_and_others_go_on(
    http: httpx.Client, place: Ground, officer: Api, case: dict[str, Any]
) -> None:
    place.cell.stop("cases-1")
    try:
        began = time.monotonic()
        refused = http.get(f"/cases/{case['id']}", headers=_as(officer))
        assert _problem(refused) == (503, "unavailable")
        assert refused.headers["retry-after"].isdigit()
        assert time.monotonic() - began < 5
        assert http.get("/me", headers=_as(officer)).status_code == 200
    finally:
        place.cell.start("cases-1")
    until(lambda: http.get(f"/cases/{case['id']}", headers=_as(officer)).status_code == 200, seconds=20)


def test_metrics_and_logs_name_no_one(http: httpx.Client, place: Ground, officer: Api, team: str) -> None:
    made = http.post("/cases", json=_case(team, title=PERSONAL[:100]), headers=_as(officer) | _key())
    http.post("/searches", json={"in": "cases", "text": PERSONAL}, headers=_as(officer))
    http.get(f"/cases/{PERSONAL}", headers=_as(officer))
    seen = [httpx.get(f"{place.url}/metrics", trust_env=False).text]
    seen += [path.read_text(errors="replace") for path in place.cell.places.logs.rglob("*") if path.is_file()]
    for text in seen:
        assert "Amelia" not in text
        assert made.json()["id"] not in text
        assert str(officer.token) not in text


# --- streams and export ---


class Listening:
    """One open stream: its events as they come, and whether it has ended."""

    def __init__(self, place: Ground, api: Api, **headers: str) -> None:
        self.frames: list[tuple[str, str, dict[str, Any]]] = []
        self.comments = 0
        self.ended = threading.Event()
        self.began = threading.Event()
        self._url, self._headers = f"{place.url}/api/v1/stream", _as(api, **headers)
        self._stop = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self.began.wait(5)

    def about(self, case_id: str) -> list[str]:
        return [kind for _, kind, event in self.frames if event["data"]["case_id"] == case_id]

    def close(self) -> None:
        self._stop = True

    def _listen(self) -> None:
        with contextlib.suppress(httpx.TransportError):  # the system may go while it is open
            self._read()

    def _read(self) -> None:
        number = kind = ""
        with (
            httpx.Client(timeout=httpx.Timeout(10, read=30), trust_env=False) as client,
            client.stream("GET", self._url, headers=self._headers) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            self.began.set()
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif name == "id":
                    number = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    self.frames.append((number, kind, json.loads(value)))
                if self._stop:
                    return
        self.ended.set()


def _note(api: Api, case_id: str) -> None:
    body = {"type": "note", "occurred_at": "2026-11-01T10:00:00Z", "text": "Seen."}
    api.post(f"/cases/{case_id}/entries", body)


def test_a_stream_shows_what_happens_and_takes_up_where_it_was_left(
    place: Ground, team: str, officer: Api
) -> None:
    colleague = place.sign_in("Cleveland Police", "supervisor")
    listening = Listening(place, officer)
    made = officer.post("/cases", _case(team))
    began = time.monotonic()
    _note(colleague, made["id"])
    until(lambda: "entry.added" in listening.about(made["id"]), seconds=5)
    assert time.monotonic() - began < 3
    number, _, event = listening.frames[-1]
    assert set(event["data"]) == {"case_id", "entry_id"}
    assert "sequence" not in event
    listening.close()
    _note(colleague, made["id"])
    later = Listening(place, officer, Last_Event_ID=number)
    until(lambda: later.about(made["id"]) == ["entry.added"], seconds=5)
    later.close()


def test_a_stream_shows_nothing_of_a_case_that_was_taken_back(place: Ground, team: str, officer: Api) -> None:
    housing = place.sign_in("Thirteen Housing", "practitioner")
    me = housing.get("/me")
    protocol = next(one for one in officer.all("/protocols") if one["state"] == "active")
    made = officer.post("/cases", _case(team))
    body = story.share_body(me["agency"]["id"], protocol["id"], [{"user_id": me["user"]["id"]}])
    share = officer.post(f"/cases/{made['id']}/shares", body)
    listening = Listening(place, housing)
    _note(officer, made["id"])
    until(lambda: "entry.added" in listening.about(made["id"]), seconds=5)
    officer.delete(f"/cases/{made['id']}/shares/{share['id']}?reason=no_longer_needed")
    count = len(listening.about(made["id"]))
    _note(officer, made["id"])
    other = officer.post("/cases", _case(team))
    officer.post(f"/cases/{other['id']}/shares", body)
    until(lambda: listening.about(other["id"]), seconds=5)
    assert len(listening.about(made["id"])) == count
    listening.close()


def test_a_stream_ends_with_its_session(place: Ground) -> None:
    api = place.sign_in("Cleveland Police", "practitioner", 1)
    listening = Listening(place, api)
    api.delete("/sessions/current")
    assert listening.ended.wait(15)


def test_the_log_is_exported_line_by_line_to_its_readers_alone(
    place: Ground, http: httpx.Client, officer: Api
) -> None:
    assert _problem(http.get("/audit/export", headers=_as(officer))) == (403, "role_required")
    dpo = place.cast.sign_in(next(one for one in place.cast.users if "partnership_dpo" in one["roles"]))
    answer = http.get("/audit/export", headers=_as(dpo))
    assert answer.status_code == 200
    assert answer.headers["consultation"]
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert "note" in lines[-1]
    assert [line["index"] for line in lines[:-1]] == list(range(len(lines) - 1))


def test_the_documents_are_served_to_anybody(place: Ground) -> None:
    for name, version in (("openapi", "3.1.0"), ("asyncapi", "3.0.0")):
        answer = httpx.get(f"{place.url}/{name}.json", trust_env=False)
        assert (answer.status_code, answer.json()[name]) == (200, version)
