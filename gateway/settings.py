"""What an operator can set for the gateway, beside what every process has."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import NoDecode

from gateway.sessions import Sessions, origin_of
from services.chassis.settings import ServiceSettings


def _networks(value: object) -> object:
    """Comma-separated CIDRs."""
    if not isinstance(value, str):
        return value
    return tuple(ip_network(word.strip()) for word in value.split(",") if word.strip())


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]


class GatewaySettings(ServiceSettings):
    """The settings of one gateway process."""

    service: str = "gateway"
    echo: bool = Field(
        default=False, description="Serve the proving ground's routes under /api/v1/echo; for tests only."
    )
    body_limit: int = Field(
        default=1024 * 1024, ge=1024, description="Bytes that the body of a request may have."
    )
    public_url: str | None = Field(
        default=None,
        description="Where browsers reach this gateway, as https://host; cookies and CSRF checks rest on it.",
    )
    trusted_proxies: Networks = Field(
        default=(), description="Networks (CIDR, comma-separated) whose X-Forwarded-For is believed."
    )
    streams: int = Field(
        default=1000, ge=1, le=100_000, description="Live streams that one process holds at once."
    )
    streams_each: int = Field(
        default=10, ge=1, le=1000, description="Live streams that one principal may hold in one process."
    )
    case_404s: int = Field(
        default=300,
        ge=1,
        description="Times a minute that one principal may ask this process for cases that it cannot see.",
    )

    @field_validator("public_url")
    @classmethod
    def _is_a_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("not a URL")
        return value

    @model_validator(mode="after")
    def _echo_only_on_this_machine(self) -> Self:
        if self.echo and not self.on_loopback:
            raise ValueError(
                "CONCORDAT_ECHO needs CONCORDAT_HTTP_HOST to be this machine's own: nobody logs in there"
            )
        return self

    @model_validator(mode="after")
    def _in_the_clear_only_on_this_machine(self) -> Self:
        if self.public_url is not None and self.public_url.startswith("http://") and not self.on_loopback:
            raise ValueError("CONCORDAT_PUBLIC_URL is https, except on this machine's own address")
        return self

    @property
    def secure(self) -> bool:
        """Browsers reach this gateway over https, through whatever ends TLS before it."""
        return self.public_url.startswith("https://") if self.public_url else not self.on_loopback

    def sessions(self) -> Sessions:
        origins = (origin_of(self.public_url),) if self.public_url else ()
        return Sessions(secure=self.secure, origins=origins, trusted_proxies=self.trusted_proxies)
