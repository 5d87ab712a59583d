"""`concordat secrets make`: what a run in production needs, each part for its reader alone."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from typer.testing import CliRunner

from deploy.cli import app
from deploy.launcher.trouble import Trouble

ROOT = Path(__file__).resolve().parents[3]


def make(folder: Path, *arguments: str) -> None:
    CliRunner().invoke(app, ["secrets", "make", "--folder", str(folder), *arguments], catch_exceptions=False)


def test_all_files_of_the_compose_file_are_made_and_closed(tmp_path: Path) -> None:
    make(tmp_path / "secrets")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    files = [one["file"] for one in compose["secrets"].values()]
    assert files
    assert all((tmp_path / file).is_file() for file in files)
    assert all(stat.S_IMODE(one.stat().st_mode) & 0o077 == 0 for one in (tmp_path / "secrets").rglob("*"))


def test_urls_hold_the_passwords_that_are_declared(tmp_path: Path) -> None:
    make(tmp_path, "--broker=a:1,b:2", "--database=c:3,d:4")
    password = (tmp_path / "echo.rabbitmq").read_text()
    assert (tmp_path / "echo" / "rabbitmq_url").read_text() == (
        f"amqp://echo:{password}@a:1/concordat,amqp://echo:{password}@b:2/concordat"
    )
    url = urlsplit((tmp_path / "mirror" / "mongo_url").read_text())
    assert (url.username, url.password) == ("mirror", (tmp_path / "mirror.mongo").read_text())
    assert (url.netloc.rpartition("@")[2], url.path) == ("c:3,d:4", "/mirror")
    assert (tmp_path / "operator").read_text() in (tmp_path / "rabbitmq.conf").read_text()
    assert not (tmp_path / "gateway" / "mongo_url").exists()


def test_a_second_run_keeps_what_is_there(tmp_path: Path) -> None:
    make(tmp_path)
    before = {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    make(tmp_path)
    assert {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("owner", ["nobody=1", "echo", "echo=x", "echo=70000"])
def test_an_owner_that_cannot_be_is_refused(tmp_path: Path, owner: str) -> None:
    with pytest.raises(Trouble):
        make(tmp_path, f"--owner={owner}")
