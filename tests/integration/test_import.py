"""`concordat import`, as people run it: on FEBRL 1 and on files with bad rows, against the whole system."""

from __future__ import annotations

import csv
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.checks.ground import Ground

ROOT = Path(__file__).parent.parent.parent
OFFICER, ADMINISTRATOR = "p.marsh", "a.tull"
AGENCY, TEAM = "Cleveland Police", "Stockton Neighbourhood Policing"

pytestmark = pytest.mark.timeout(400)


def imported(what: str, file: Path, who: str, demonstration: Ground) -> tuple[int, str]:
    """Exit code and everything said."""
    run = "from deploy.cli import main; main()"
    command = [sys.executable, "-c", run, "import", what, str(file), "--agency", AGENCY]
    command += ["--team", TEAM, "--system", "febrl"] if what == "people" else []
    environment = {
        **os.environ,
        "CONCORDAT_URL": demonstration.url,
        "CONCORDAT_USERNAME": who,
        "CONCORDAT_PASSWORD": demonstration.password(who),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    return done.returncode, done.stdout + done.stderr


def counted(said: str) -> tuple[int, ...]:
    """Made, already there, not taken."""
    found = re.search(r"(\d+) made, (\d+) already there(?:, (\d+) not taken)?", said)
    assert found, said
    return tuple(int(number or 0) for number in found.groups())


def subjects(demonstration: Ground) -> int:
    """How many the officer's team has."""
    with httpx.Client(base_url=f"{demonstration.url}/api/v1", timeout=10) as http:
        credentials = {"username": OFFICER, "password": demonstration.password(OFFICER)}
        token = http.post("/sessions", json=credentials).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        count, cursor = 0, ""
        while True:
            page = http.get(f"/subjects?limit=100{cursor}").json()
            count += len(page["items"])
            if page["next"] is None:
                return count
            cursor = f"&cursor={page['next']}"


_NO_DATES = "19371233|19729518|19339026"
"""Of the three rows that are not taken."""


def test_febrl_is_loaded_once_however_often_it_is_loaded(demonstration: Ground, tmp_path: Path) -> None:
    fetched = subprocess.run(
        [ROOT / "deploy/data_sets.sh"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    file = tmp_path / "febrl1.csv"
    head, *rows = (ROOT / fetched).read_bytes().splitlines(keepends=True)
    if os.environ.get("SHORT"):  # a fifth of it, with the rows that are not taken
        rows = [row for n, row in enumerate(rows) if n < 200 or re.search(_NO_DATES.encode(), row)]
    good = len(rows) - 3
    file.write_bytes(head + b"".join(rows))
    before = subjects(demonstration)
    code, said = imported("people", file, OFFICER, demonstration)
    assert (code, counted(said)) == (1, (good, 0, 3))
    assert subjects(demonstration) == before + good
    assert "waller" not in said
    assert "not loaded: street_number, address_1" in said

    code, said = imported("people", file, OFFICER, demonstration)
    assert (code, counted(said)) == (1, (0, good, 3))
    assert subjects(demonstration) == before + good

    errors = tmp_path / "febrl1.csv.errors.csv"
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600
    wrong = list(csv.DictReader(errors.read_text(encoding="utf-8").splitlines()))
    assert {row["date_of_birth"] for row in wrong} == set(_NO_DATES.split("|"))
    assert {(row["code"], row["pointer"]) for row in wrong} == {("wrong_form", "/born/date")}
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(re.sub(_NO_DATES, "1937", errors.read_text(encoding="utf-8")))
    code, said = imported("people", corrected, OFFICER, demonstration)
    assert (code, counted(said)) == (0, (3, 0, 0))
    assert subjects(demonstration) == before + len(rows)


def test_bad_rows_are_told_and_the_others_are_loaded(demonstration: Ground, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "\ufeffexternal_id,given,family,nhs,born\n"
        "bad-1,Zebedee,Good,943 476 5919,1980-02-03\n"
        "bad-2,Zebedee,Wrongnumber,943 476 5918,\n"
        f"bad-3,{'x' * 200},Toolong,,\n"
        "bad-4,Zebedee,Unborn,,2190-01-01\n"
        "bad-5,,,,\n"
        ",Zebedee,Noreference,,\n"
        "bad-7,Zebedee,Toomany,,,1,2\n",
        encoding="utf-8",
    )
    code, said = imported("people", file, OFFICER, demonstration)
    assert (code, counted(said)) == (1, (1, 0, 6))
    assert "Zebedee" not in said
    errors = tmp_path / "people.csv.errors.csv"
    rows = list(csv.DictReader(errors.read_text(encoding="utf-8").splitlines()))
    assert [(row["line"], row["code"], row["pointer"]) for row in rows] == [
        ("3", "wrong_form", "/identifiers/0/value"),
        ("4", "too_long", "/names/0/given"),
        ("5", "out_of_range", "/born/date"),
        ("6", "required", "/names/0"),
        ("7", "required", ""),
        ("8", "too_many", ""),
    ]


def test_users_are_invited_once(demonstration: Ground, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(
        "username,name,email,job_title,teams,roles\n"
        f"q.new,Quinn New,q.new@police.example,Constable,{TEAM},practitioner\n"
        "q.other,Quinn Other,q.other@police.example,,,practitioner;supervisor\n"
        "q.none,Quinn None,q.none@police.example,,Flying Squad,practitioner\n"
        "q.role,Quinn Role,q.role@police.example,,,emperor\n",
        encoding="utf-8",
    )
    code, said = imported("users", file, ADMINISTRATOR, demonstration)
    assert (code, counted(said)) == (1, (2, 0, 2)), said
    assert "Quinn" not in said
    activations = tmp_path / "users.csv.activations.csv"
    assert stat.S_IMODE(activations.stat().st_mode) == 0o600
    assert len(activations.read_text(encoding="utf-8").splitlines()) == 3
    code, said = imported("users", file, ADMINISTRATOR, demonstration)
    assert (code, counted(said)) == (1, (0, 2, 2))


def test_trouble_is_told_in_plain_words(demonstration: Ground, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("external_id,given\n1,A\n", encoding="utf-8")
    code, said = imported("people", file, "c.lund", demonstration)
    assert code == 1
    assert "no agency of yours" in said
    file.write_text("given\nA\n", encoding="utf-8")
    code, said = imported("people", file, OFFICER, demonstration)
    assert code == 1
    assert "external_id or rec_id" in said
