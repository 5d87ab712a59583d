"""Settings come from the environment, explain themselves, and keep their secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError

from services.chassis.settings import ServiceSettings, describe, load

PASSWORD = "hunter2-very-secret"
BROKER = f"amqp://echo:{PASSWORD}@127.0.0.1:5672/concordat"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in describe():
        monkeypatch.delenv(setting.key, raising=False)
        monkeypatch.delenv(f"{setting.key}_FILE", raising=False)
    monkeypatch.setenv("RABBITMQ_URL", BROKER)


def test_the_broker_is_all_that_must_be_set() -> None:
    settings = load("echo")
    assert settings.rabbitmq_urls == (BROKER,)
    assert (settings.service, settings.mongo_database, settings.mongo_url) == ("echo", "echo", None)
    assert (settings.workers, settings.call_timeout, settings.plain) == (16, 4.0, False)


def test_without_a_broker_the_error_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RABBITMQ_URL")
    with pytest.raises(ValidationError, match="RABBITMQ_URL"):
        load("echo")


def test_several_brokers_are_tried_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_URL", " amqp://a , amqp://b,")
    assert load("echo").rabbitmq_urls == ("amqp://a", "amqp://b")


@pytest.mark.parametrize("value", [",", " ", ""])
def test_a_list_of_no_brokers_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RABBITMQ_URL", value)
    with pytest.raises(ValidationError):
        load("echo")


@pytest.mark.parametrize(
    ("key", "value", "name", "expected"),
    [
        ("CONCORDAT_WORKERS", "40", "workers", 40),
        ("CONCORDAT_CALL_TIMEOUT", "2.5", "call_timeout", 2.5),
        ("CONCORDAT_MONGO_DATABASE", "other", "mongo_database", "other"),
        ("CONCORDAT_MONGO_DATABASE", "", "mongo_database", "echo"),
        ("CONCORDAT_KEYS_DIR", "some/keys", "keys_dir", Path("some/keys")),
        ("CONCORDAT_PLAIN", "1", "plain", True),
        ("CONCORDAT_INSTANCE", "echo-2", "instance", "echo-2"),
        (
            "CONCORDAT_OTLP_ENDPOINT",
            "http://127.0.0.1:4318/v1/traces",
            "otlp_endpoint",
            "http://127.0.0.1:4318/v1/traces",
        ),
    ],
)
def test_each_key_is_read(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, name: str, expected: object
) -> None:
    monkeypatch.setenv(key, value)
    assert getattr(load("echo"), name) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CONCORDAT_WORKERS", "0"),
        ("CONCORDAT_WORKERS", "many"),
        ("CONCORDAT_HTTP_PORT", "70000"),
        ("CONCORDAT_LOG_LEVEL", "loud"),
        ("CONCORDAT_CALL_TIMEOUT", "-1"),
        ("CONCORDAT_FAULTS", "no_such_fault"),
    ],
)
def test_a_wrong_value_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv("CONCORDAT_ALLOW_FAULTS", "1")
    monkeypatch.setenv(key, value)
    with pytest.raises(ValidationError, match=key.removeprefix("CONCORDAT_").lower()) as refused:
        load("echo")
    assert f"'{value}'" not in str(refused.value)


@pytest.mark.parametrize("key", ["RABBITMQ_URL", "MONGO_URL"])
def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{BROKER}\n", encoding="utf-8")
    monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv(f"{key}_FILE", str(secret))
    found = getattr(load("echo"), key.lower())
    assert isinstance(found, SecretStr)
    assert found.get_secret_value() == BROKER


def test_a_secret_from_both_places_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(BROKER, encoding="utf-8")
    monkeypatch.setenv("RABBITMQ_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match="not both"):
        load("echo")


def test_a_secret_file_that_is_not_there_is_named_by_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL_FILE", "no/such/file")
    with pytest.raises(SettingsError, match="MONGO_URL_FILE cannot be read: FileNotFoundError"):
        load("echo")


def test_a_file_is_for_secrets_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "workers").write_text("99", encoding="utf-8")
    monkeypatch.setenv("CONCORDAT_WORKERS_FILE", str(tmp_path / "workers"))
    assert load("echo").workers == 16


def test_secrets_are_not_shown() -> None:
    settings = load("echo", mongo_url=f"mongodb://echo:{PASSWORD}@127.0.0.1/")
    assert PASSWORD not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


def test_a_refused_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", f"mongodb://echo:{PASSWORD}@127.0.0.1/")
    monkeypatch.setenv("CONCORDAT_WORKERS", "0")
    with pytest.raises(ValidationError) as refused:
        load("echo")
    assert PASSWORD not in str(refused.value)


def test_faults_need_leave() -> None:
    with pytest.raises(ValidationError, match="CONCORDAT_ALLOW_FAULTS=1"):
        load("echo", faults="no_dedupe")


def test_faults_with_leave_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORDAT_ALLOW_FAULTS", "1")
    monkeypatch.setenv("CONCORDAT_FAULTS", "no_dedupe, no_majority")
    assert load("echo").faults == {"no_dedupe", "no_majority"}


def test_instances_have_names_of_their_own() -> None:
    assert load("echo").instance != load("echo").instance


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load("echo").workers = 3


def test_every_key_is_described_in_one_line() -> None:
    described = describe()
    assert {setting.key.removeprefix("CONCORDAT_").lower() for setting in described} == (
        ServiceSettings.model_fields.keys() - {"service"}
    )
    for setting in described:
        assert setting.type
        assert setting.doc.endswith(".")
        assert "\n" not in setting.doc


def test_secrets_are_described_with_their_file() -> None:
    secrets = {setting.key: setting.type for setting in describe() if "secret" in setting.type}
    assert secrets == {
        "RABBITMQ_URL": "secret (or RABBITMQ_URL_FILE)",
        "MONGO_URL": "secret (or MONGO_URL_FILE)",
    }


def test_nothing_is_read_at_import() -> None:
    asked = [sys.executable, "-c", "import services.chassis.settings"]
    assert subprocess.run(asked, env={}, check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("switch", [{"plain": True}, {"faults": "no_dedupe", "allow_faults": True}])
def test_what_makes_unsafe_is_refused_where_others_can_reach_it(switch: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="CONCORDAT_HTTP_HOST"):
        load("echo", http_host="0.0.0.0", **switch)
