"""Loading of CSV files: what is read, what is sent, what becomes of it. The server is a function here."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.importing.api import ATTEMPTS, Api
from deploy.importing.loading import Outcome, load, write_errors
from deploy.importing.people import people
from deploy.importing.tables import Kind, RowProblem, open_table
from deploy.importing.users import users
from deploy.launcher.trouble import Trouble

HEAD = "rec_id, given_name, surname, street_number, postcode, date_of_birth, soc_sec_id\n"
PEOPLE = people("team-1", "febrl")
Answering = Callable[[httpx.Request], httpx.Response]


def file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


def bodies(path: Path, kind: Kind = PEOPLE) -> list[dict[str, Any]]:
    return [kind.body(kind.fields(row)) for row in open_table(path, kind)]


def made(_: httpx.Request) -> httpx.Response:
    return httpx.Response(201, json={"id": "s1", "created_at": "2199-01-01T00:00:00Z"})


def problem(status: int, code: str, *errors: dict[str, str], **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"code": code, "title": "Refused", "errors": list(errors)}, headers=headers
    )


def loaded(
    path: Path, answer: Answering, kind: Kind = PEOPLE
) -> tuple[Outcome, list[httpx.Request], list[float]]:
    asked: list[httpx.Request] = []
    waits: list[float] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request)

    with Api("http://localhost:1", transport=httpx.MockTransport(server), wait=waits.append) as api:
        return load(api, "agency-1", kind, open_table(path, kind), lambda: None), asked, waits


def test_a_row_of_febrl_becomes_a_person(tmp_path: Path) -> None:
    path = file(tmp_path, HEAD + "rec-1-org, lachlan, berry, 69, 4814, 19990219, 7364009\n")
    assert bodies(path) == [
        {
            "kind": "person",
            "names": [{"given": "lachlan", "family": "berry", "type": "legal"}],
            "team_id": "team-1",
            "external_ref": {"system": "febrl", "id": "rec-1-org"},
            "born": {"date": "1999-02-19", "precision": "day"},
            "identifiers": [{"scheme": "other", "value": "7364009"}],
        }
    ]
    assert open_table(path, PEOPLE).unused == ["street_number", "postcode"]


def test_a_mark_and_the_case_of_columns_do_not_matter(tmp_path: Path) -> None:
    path = file(tmp_path, "External_ID,First_Name,Family\n1,Zoë,\n", "utf-8-sig")
    assert bodies(path)[0]["names"] == [{"given": "Zoë", "family": "", "type": "legal"}]


@pytest.mark.parametrize(
    ("text", "date", "precision"),
    [("1980", "1980-01-01", "year"), ("1980-07", "1980-07-01", "month"), ("19800731", "1980-07-31", "day")],
)
def test_a_birth_is_as_precise_as_it_is_written(tmp_path: Path, text: str, date: str, precision: str) -> None:
    path = file(tmp_path, f"external_id,given,born\n1,A,{text}\n")
    assert bodies(path)[0]["born"] == {"date": date, "precision": precision}


@pytest.mark.parametrize(
    ("row", "pointer"),
    [("1,,,", "/names/0"), ("1,A,,19371233", "/born/date"), ("1,A,,soon", "/born/date"), (",A,,", "")],
)
def test_a_row_that_makes_no_person_is_told_by_its_pointer(tmp_path: Path, row: str, pointer: str) -> None:
    path = file(tmp_path, f"external_id,given,family,born\n{row}\n")
    with pytest.raises(RowProblem) as refused:
        bodies(path)
    assert refused.value.fault.pointer == pointer


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"given,family\nA,B\n", "external_id or rec_id"),
        (b"external_id,shoe_size\n1,2\n", "number 2"),
        (b"external_id,rec_id\n1,2\n", "two columns"),
        (b"external_id,given\n1,\xff\n", "not UTF-8"),
        (b'external_id,given\n1,"A\n', "not CSV"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_before_anything_is_sent(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(Trouble, match=said):
        open_table(path, PEOPLE)


def test_the_same_row_has_the_same_key_and_a_corrected_one_another(tmp_path: Path) -> None:
    head = "external_id,given\n"
    keys = [
        loaded(file(tmp_path, head + row), made)[1][0].headers["Idempotency-Key"]
        for row in ("1,A", "1,A", "1,B")
    ]
    assert keys[0] == keys[1] != keys[2]


def test_what_is_there_counts_as_there(tmp_path: Path) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        match json.loads(request.content)["external_ref"]["id"]:
            case "1":
                return problem(409, "already_exists", {"pointer": "/external_ref", "code": "already_exists"})
            case "2":
                return httpx.Response(201, json={"id": "s", "created_at": "2001-01-01T00:00:00Z"})
            case _:
                return made(request)

    outcome, _, _ = loaded(file(tmp_path, "external_id,given\n1,A\n2,B\n3,C\n"), server)
    assert (outcome.made, outcome.already, outcome.failed) == (1, 2, [])


def test_a_server_that_asks_for_patience_gets_it_and_a_dead_one_is_given_up(tmp_path: Path) -> None:
    answers = iter([problem(429, "rate_limited", **{"Retry-After": "7"}), problem(503, "unavailable"), None])
    path = file(tmp_path, "external_id,given\n1,A\n")
    outcome, asked, waits = loaded(path, lambda request: next(answers) or made(request))
    assert outcome.made == 1
    assert waits == [7, 0.5]
    assert len({request.headers["Idempotency-Key"] for request in asked}) == 1

    path = file(tmp_path, "external_id,given\n" + "".join(f"{n},A\n" for n in range(40)))
    outcome, asked, _ = loaded(path, lambda _: problem(503, "unavailable"))
    assert len(outcome.failed) == 40
    assert {faults[0].code for _, faults in outcome.failed} == {"no_answer", "not_sent"}
    assert len(asked) <= 12 * ATTEMPTS


def test_rows_that_failed_are_kept_for_their_owner_and_can_be_loaded_again(tmp_path: Path) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["names"][0]["given"] == "Bad":
            wrong = {"pointer": "/identifiers/0/value", "code": "wrong_form", "detail": "No."}
            return problem(422, "invalid", wrong)
        return made(request)

    path = file(tmp_path, "external_id,given,nhs\n1,Good,\n2,Bad,1234\n")
    outcome, _, _ = loaded(path, server)
    errors = tmp_path / "people.csv.errors.csv"
    errors.write_text("")
    write_errors(errors, open_table(path, PEOPLE), outcome)
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600
    assert list(csv.DictReader(errors.read_text().splitlines())) == [
        {
            "external_id": "2",
            "given": "Bad",
            "nhs": "1234",
            "line": "3",
            "code": "wrong_form",
            "pointer": "/identifiers/0/value",
            "detail": "No.",
        }
    ]
    errors.write_text(errors.read_text().replace("Bad", "Better"))
    again, _, _ = loaded(errors, server)
    assert (again.made, again.failed) == (1, [])


def test_users_are_invited_with_the_ids_of_their_teams(tmp_path: Path) -> None:
    kind = users("agency-1", {"North": "t1", "South": "t2"})
    head = "username,name,email,job_title,teams,roles\n"
    path = file(tmp_path, head + "ann,Ann,ann@example.org,PC,north; South,practitioner;supervisor\n")
    assert bodies(path, kind) == [
        {
            "username": "ann",
            "name": "Ann",
            "email": "ann@example.org",
            "job_title": "PC",
            "agency_id": "agency-1",
            "team_ids": ["t1", "t2"],
            "roles": [{"role": "practitioner"}, {"role": "supervisor"}],
        }
    ]
    with pytest.raises(RowProblem):
        bodies(file(tmp_path, head + "ann,Ann,ann@example.org,,West,\n"), kind)


def test_a_password_leaves_this_machine_over_tls_only() -> None:
    with pytest.raises(Trouble):
        Api("http://concordat.example")


def test_log_in_asks_for_a_code_only_when_one_is_wanted_and_says_what_must_be_done_first() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(204)
        if request.method == "GET":
            return httpx.Response(200, json={"created_at": "2026-11-01T09:00:00.123000Z"})
        given = json.loads(request.content)
        if "totp" not in given:
            return problem(401, "totp_required")
        return httpx.Response(201, json={"token": "t", "must": given["totp"].split()})

    with Api("http://localhost:1", transport=httpx.MockTransport(server)) as api:
        api.log_in("ann", "secret", lambda: "")
        assert api.started.microsecond == 123000
        with pytest.raises(Trouble, match="sign_procedure"):
            api.log_in("ann", "secret", lambda: "sign_procedure")
