"""The committed schemas are those of the code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from services.contracts import echo, schemas
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Unavailable, registered
from services.contracts.messages import Request
from tests.unit.contracts.test_caller import CALLER
from tests.unit.contracts.test_envelope import event


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    shutil.copytree(schemas.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def read(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((schemas.FOLDER / name).read_text(encoding="utf-8"))
    return found


def test_the_committed_schemas_are_up_to_date() -> None:
    assert schemas.stale() == []


def test_a_changed_schema_is_detected_and_put_right(copy: Path) -> None:
    changed = copy / "echo.Say.json"
    changed.write_text(changed.read_text(encoding="utf-8").replace("10000", "9000"), encoding="utf-8")
    assert schemas.stale(copy) == schemas.write(copy) == ["echo.Say.json"]
    assert schemas.stale(copy) == []


def test_a_missing_schema_and_one_of_nothing_are_detected(copy: Path) -> None:
    (copy / "echo.Say.json").rename(copy / "echo.Shout.json")
    assert schemas.stale(copy) == schemas.write(copy) == ["echo.Say.json", "echo.Shout.json"]
    assert schemas.stale(copy) == []


def test_the_command_fails_when_a_schema_is_stale(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.contracts.schemas import __main__ as command

    assert command.main(["--check"]) == 0
    monkeypatch.setattr(schemas, "stale", lambda: ["echo.Say.json"])
    assert command.main(["--check"]) == 1


def test_the_command_is_there() -> None:
    asked = [sys.executable, "-m", "services.contracts.schemas", "--check"]
    assert subprocess.run(asked, check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("name", sorted(schemas.generate()))
def test_each_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(read(name))


def test_what_we_send_fits_its_schema() -> None:
    for name, sent in (
        ("event.json", json.loads(event().to_json())),
        ("caller.json", json.loads(CALLER.model_dump_json())),
        *(("problem.json", kind().to_problem("r-1")) for kind in registered().values()),
        ("problem.json", Unavailable(errors=(FieldError("/a", "b", "c"),)).to_problem("r")),
    ):
        Draft202012Validator(read(name)).validate(sent)


@pytest.mark.parametrize("name", [name for name in schemas.generate() if name.startswith("echo.")])
def test_only_a_requests_schema_refuses_unknown_fields(name: str) -> None:
    model = getattr(echo, name.split(".")[1])
    assert (read(name).get("additionalProperties") is False) == issubclass(model, Request)


def test_every_field_of_a_caller_is_in_its_schema() -> None:
    properties = read("caller.json")["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == set(Caller.model_fields)
