"""What an operator can set for `notify`, beside what every process has."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from services.chassis.settings import ServiceSettings
from services.notify.domain.schedule import Schedule


class NotifySettings(ServiceSettings):
    """The settings of one process of `notify`."""

    demo: bool = Field(
        default=False,
        description="Demonstration: a webhook may be http://127.0.0.1:PORT too. On this machine only.",
    )
    notify_retry_first: float = Field(
        default=5.0, gt=0, description="Seconds from a failed push to the next one."
    )
    notify_retry_factor: float = Field(
        default=3.0, ge=1, le=100, description="By how much each wait is longer than the last."
    )
    notify_retry_longest: float = Field(
        default=8 * 3600.0, gt=0, description="The longest wait between two pushes, in seconds."
    )
    notify_retry_for: float = Field(
        default=72 * 3600.0, gt=0, description="Seconds after which a delivery has failed."
    )
    notify_concurrent_pushes: int = Field(
        default=8, ge=1, le=64, description="Pushes to one subscription at once."
    )
    notify_lease_seconds: float = Field(
        default=10.0, gt=1, description="Seconds after which another instance delivers for a dead one."
    )
    notify_checkpoint_every: float = Field(
        default=60.0, ge=1, description="Seconds between two checkpoints of the log to one subscription."
    )

    @model_validator(mode="after")
    def _demo_only_on_this_machine(self) -> Self:
        if self.demo and not self.on_loopback:
            raise ValueError("CONCORDAT_DEMO needs CONCORDAT_HTTP_HOST to be this machine's own")
        return self

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            self.notify_retry_first,
            self.notify_retry_factor,
            self.notify_retry_longest,
            self.notify_retry_for,
        )
