"""What an operator can set about notifying, beside what every service has. From the environment."""

from __future__ import annotations

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.notify.domain.schedule import Schedule


class NotifySettings(BaseSettings):
    """`CONCORDAT_NOTIFY_…`, and `CONCORDAT_DEMO` with everybody else."""

    model_config = SettingsConfigDict(
        env_prefix="CONCORDAT_NOTIFY_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    demo: bool = Field(
        default=False,
        validation_alias=AliasChoices("CONCORDAT_DEMO"),
        description="A webhook may also be http://127.0.0.1:PORT, PORT >= 1024. Never in production.",
    )
    retry_first: float = Field(default=5.0, gt=0, description="Seconds from a failed push to the next.")
    retry_factor: float = Field(default=3.0, ge=1, description="By how much each wait is longer.")
    retry_longest: float = Field(default=8 * 3600.0, gt=0, description="The longest wait, in seconds.")
    retry_for: float = Field(default=72 * 3600.0, gt=0, description="Seconds until a delivery has failed.")
    concurrent_pushes: int = Field(default=8, ge=1, le=64, description="Pushes to one subscription at once.")
    lease_seconds: float = Field(
        default=10.0, gt=1, description="Seconds after which another instance goes on for a dead one."
    )

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.retry_first, self.retry_factor, self.retry_longest, self.retry_for)
