"""What an operator can set for `sharing`, beside what every process has."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from services.chassis.settings import ServiceSettings
from services.contracts.vocabulary import Template
from services.sharing.domain.passkeys import Site, within
from services.sharing.domain.sessions import Limits


def _words(value: object) -> object:
    """Comma-separated."""
    if not isinstance(value, str):
        return value
    return tuple(word.strip() for word in value.split(",") if word.strip())


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Templates = Annotated[tuple[Template, ...], NoDecode, BeforeValidator(_words)]


class SharingSettings(ServiceSettings):
    """The settings of one process of `sharing`."""

    demo: bool = Field(
        default=False,
        description="Demonstration: nobody has to enrol an authenticator. On this machine only.",
    )
    session_idle_minutes: float = Field(
        default=30, gt=0, le=1440, description="Minutes of inactivity after which a session ends."
    )
    session_hours: float = Field(
        default=12, gt=0, le=168, description="Hours after which a session ends in any case."
    )
    trained_uses: Templates = Field(
        default=(),
        description="Templates (comma-separated) whose cases cannot be opened without current training.",
    )
    activation_hours: float = Field(
        default=72, gt=0, le=720, description="Hours for which an activation token can be used."
    )
    glass_minutes: float = Field(
        default=60, gt=0, le=1440, description="Minutes after which emergency access to a case ends."
    )
    glass_a_day: int = Field(
        default=3, ge=1, le=1000, description="How often one person may take emergency access in 24 hours."
    )
    glass_review_hours: float = Field(
        default=72,
        gt=0,
        le=720,
        description="Hours after which emergency access that nobody has reviewed escalates.",
    )
    transfer_days: float = Field(
        default=14, gt=0, le=90, description="Days after which an offer to transfer a case lapses."
    )
    consent_days: float = Field(
        default=14,
        gt=0,
        le=90,
        description="Days in which a new owner confirms the consent that shares rest on; else these suspend.",
    )

    passkey_rp_id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
        description="Domain that passkeys are made for; changing it makes every passkey useless. "
        "Unset: localhost, where this machine alone is served; else there are no passkeys.",
    )
    passkey_origins: Words = Field(
        default=(),
        description="Addresses of our pages at which passkeys are shown (comma-separated, https://host).",
    )
    certify_days: int = Field(
        default=90,
        ge=1,
        le=366,
        description="Days after which people and shares have to be confirmed again. Nothing ends by it.",
    )

    @model_validator(mode="after")
    def _demo_only_on_this_machine(self) -> Self:
        if self.demo and not self.on_loopback:
            raise ValueError("CONCORDAT_DEMO needs CONCORDAT_HTTP_HOST to be this machine's own")
        return self

    @model_validator(mode="after")
    def _passkeys_at_our_own_addresses(self) -> Self:
        if (self.passkey_rp_id is None) != (not self.passkey_origins):
            raise ValueError("CONCORDAT_PASSKEY_RP_ID and CONCORDAT_PASSKEY_ORIGINS are set together")
        if not all(within(str(self.passkey_rp_id), one) for one in self.passkey_origins):
            raise ValueError("CONCORDAT_PASSKEY_ORIGINS are https://host[:port] at CONCORDAT_PASSKEY_RP_ID")
        return self

    @cached_property
    def passkey_site(self) -> Site | None:
        if self.passkey_rp_id is not None:
            return Site(self.passkey_rp_id, self.passkey_origins)
        return Site("localhost") if self.on_loopback else None

    @cached_property
    def limits(self) -> Limits:
        return Limits(
            timedelta(minutes=self.session_idle_minutes), timedelta(hours=self.session_hours), self.demo
        )

    @property
    def activation_lasts(self) -> timedelta:
        return timedelta(hours=self.activation_hours)

    @property
    def glass_lasts(self) -> timedelta:
        return timedelta(minutes=self.glass_minutes)

    @property
    def glass_reviewed_within(self) -> timedelta:
        return timedelta(hours=self.glass_review_hours)
