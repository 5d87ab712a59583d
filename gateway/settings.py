"""What an operator can set for the gateway, beside what every process has."""

from __future__ import annotations

from pydantic import Field

from services.chassis.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """The settings of one gateway process."""

    service: str = "gateway"
    echo: bool = Field(
        default=False, description="Serve the proving ground's routes under /api/v1/echo; for tests only."
    )
    body_limit: int = Field(
        default=256 * 1024, ge=1024, description="Bytes that the body of a request may have."
    )
