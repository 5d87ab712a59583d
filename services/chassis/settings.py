"""What an operator can set, from the environment: every key with its type, default and one line of text.

A secret `X` may come from a file instead, named by `X_FILE` (container secrets). Texts of errors name keys,
never values. `describe()` is what `concordat settings` prints.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

PREFIX = "CONCORDAT_"

Fault = Literal["no_dedupe", "no_deadline", "no_outbox", "no_confirm", "no_majority"]


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class ServiceSettings(BaseSettings):
    """The settings of one service process. `service` comes from the runner, the rest from the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    service: str = Field(default="", description="Name of the service; set by the runner.")
    instance: str = Field(
        default_factory=lambda: uuid.uuid4().hex[:8],
        description="Name of this process in logs and leases; random unless set.",
    )
    rabbitmq_url: SecretStr = Field(
        validation_alias=AliasChoices("RABBITMQ_URL"),
        description="Broker addresses (amqp://user:password@host:port/vhost), comma-separated.",
    )
    mongo_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("MONGO_URL"),
        description="Database address (mongodb://...?replicaSet=…); must be a replica set.",
    )
    mongo_database: str = Field(default="", description="Database name; the service's name unless set.")
    keys_dir: Path = Field(
        default=Path("keys"), description="Folder with public.json and this service's private keys."
    )
    workers: int = Field(default=16, ge=1, le=1000, description="Requests handled at once by one process.")
    call_timeout: float = Field(
        default=4.0, gt=0, le=60, description="Seconds that a call may take when its caller sets no deadline."
    )
    http_host: str = Field(
        default="127.0.0.1", description="Address of the health and metrics server of this process."
    )
    http_port: int = Field(default=0, ge=0, le=65535, description="Port of it; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    heartbeat: float = Field(default=4.0, gt=0, le=60, description="Seconds between AMQP heartbeats.")
    event_prefetch: int = Field(
        default=32, ge=1, le=1000, description="Events that one process takes from a queue before it acks."
    )
    gap_seconds: float = Field(
        default=300.0, gt=0, description="Seconds after which a missing event is skipped and alarmed."
    )
    lease_seconds: float = Field(
        default=5.0, gt=0, description="Seconds that the event relay's lease lasts without renewal."
    )
    log_origin: str = Field(
        default="concordat.local/log",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$",
        description="Name of the audit log and of its keys in signed checkpoints; never changed afterwards.",
    )
    otlp_endpoint: str | None = Field(
        default=None, description="OTLP/HTTP endpoint for traces; none are recorded unless set."
    )
    plain: bool = Field(
        default=False, description="Speak stock nameko, bodies unsealed; for compatibility tests only."
    )
    allow_faults: bool = Field(
        default=False, description="Allow `faults`; for the fault harness only, never in production."
    )
    faults: Annotated[frozenset[Fault], NoDecode, BeforeValidator(_words)] = Field(
        default=frozenset(),
        description="Safety mechanisms to switch off, comma-separated, to prove that their checker can fail.",
    )

    @field_validator("rabbitmq_url")
    @classmethod
    def _has_an_address(cls, value: SecretStr) -> SecretStr:
        if not _addresses(value):
            raise ValueError("names no broker")
        return value

    @model_validator(mode="before")
    @classmethod
    def _database_named_as_service(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("mongo_database"):
            return {**values, "mongo_database": values.get("service", "")}
        return values

    @model_validator(mode="after")
    def _faults_are_allowed(self) -> Self:
        if self.faults and not self.allow_faults:
            raise ValueError(f"{PREFIX}FAULTS needs {PREFIX}ALLOW_FAULTS=1")
        return self

    @model_validator(mode="after")
    def _unsafe_only_on_this_machine(self) -> Self:
        if (self.faults or self.plain) and not self.on_loopback:
            raise ValueError(
                f"{PREFIX}FAULTS and {PREFIX}PLAIN need {PREFIX}HTTP_HOST to be this machine's own"
            )
        return self

    @property
    def on_loopback(self) -> bool:
        """This process is reached from its own machine alone: it is a trial or a test."""
        return self.http_host == "localhost" or ip_address(self.http_host).is_loopback

    @property
    def rabbitmq_urls(self) -> tuple[str, ...]:
        """The broker addresses in the order to try them. Secret: they hold the password."""
        return _addresses(self.rabbitmq_url)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The runner's own values, then secrets from files, then the environment. No .env file is read."""
        return init_settings, SecretFiles(settings_cls), env_settings


class SecretFiles(PydanticBaseSettingsSource):
    """For each secret key X: the content of the file named by X_FILE. Setting both is refused."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The secret for one field, or None when it has no file."""
        key = env_key(field_name, field)
        path = os.environ.get(f"{key}_FILE")
        if not _is_secret(field) or not path:
            return None, field_name, False
        if os.environ.get(key):
            raise SettingsError(f"set {key} or {key}_FILE, not both")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"{key}_FILE cannot be read: {type(error).__name__}") from None

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class Setting(NamedTuple):
    """One line of `concordat settings`."""

    key: str
    type: str
    default: str
    doc: str


def describe(model: type[BaseSettings] = ServiceSettings) -> list[Setting]:
    """Every key that an operator may set, in the order in which the class declares them."""
    return [_describe(name, field) for name, field in model.model_fields.items() if name != "service"]


def env_key(name: str, field: FieldInfo) -> str:
    """The environment variable of a field."""
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else PREFIX + name.upper()


def _describe(name: str, field: FieldInfo) -> Setting:
    key = env_key(name, field)
    label = f"secret (or {key}_FILE)" if _is_secret(field) else _type_label(field.annotation)
    return Setting(key, label, _default_label(field), field.description or "")


def _default_label(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = "random" if field.default_factory else field.default
    if isinstance(default, bool):
        return str(int(default))
    return "" if default is None or default == frozenset() else str(default)


def _type_label(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return text.replace("typing.", "").replace(" | None", "")


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)


def _addresses(value: SecretStr) -> tuple[str, ...]:
    return tuple(url.strip() for url in value.get_secret_value().split(",") if url.strip())


def load(service: str, **given: Any) -> ServiceSettings:
    """The settings of `service` from the environment. Raises pydantic.ValidationError or SettingsError."""
    return ServiceSettings(service=service, **given)


__all__: Sequence[str] = ("Fault", "ServiceSettings", "Setting", "describe", "env_key", "load")
