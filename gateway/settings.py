"""What an operator can set for the gateway, beside what every process has."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from services.chassis.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """The settings of one gateway process."""

    service: str = "gateway"
    echo: bool = Field(
        default=False, description="Serve the proving ground's routes under /api/v1/echo; for tests only."
    )

    @model_validator(mode="after")
    def _echo_only_on_this_machine(self) -> Self:
        if self.echo and not self.on_loopback:
            raise ValueError(
                "CONCORDAT_ECHO needs CONCORDAT_HTTP_HOST to be this machine's own: nobody logs in there"
            )
        return self

    body_limit: int = Field(
        default=256 * 1024, ge=1024, description="Bytes that the body of a request may have."
    )
