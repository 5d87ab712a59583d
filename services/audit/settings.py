"""What an operator can set for `audit`, beside what every process has."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from services.audit.domain.days import KEPT, Thresholds
from services.chassis.settings import ServiceSettings

_USUAL = Thresholds()


class AuditSettings(ServiceSettings):
    """The settings of one process of `audit`, and of its tools."""

    audit_first_hour: int = Field(
        default=_USUAL.first_hour,
        ge=0,
        le=23,
        description="The hour (London) from which on opening something is usual.",
    )
    audit_last_hour: int = Field(
        default=_USUAL.last_hour,
        ge=1,
        le=24,
        description="The hour (London) from which on it is out of hours, and to be looked at.",
    )
    audit_many_cases: int = Field(
        default=_USUAL.cases,
        ge=1,
        lt=KEPT,
        description="Different cases that one person opens in a day without being looked at.",
    )
    audit_many_unrelated: int = Field(
        default=_USUAL.strange,
        ge=0,
        lt=KEPT,
        description="Of them, cases with which it has nothing to do personally.",
    )
    audit_keep_days: int | None = Field(
        default=None,
        ge=30,
        description="Days after which `audit retire` destroys the details of entries; unset: never.",
    )

    @model_validator(mode="after")
    def _hours_in_order(self) -> Self:
        if self.audit_first_hour >= self.audit_last_hour:
            raise ValueError("CONCORDAT_AUDIT_FIRST_HOUR must be before CONCORDAT_AUDIT_LAST_HOUR")
        return self

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(
            self.audit_first_hour, self.audit_last_hour, self.audit_many_cases, self.audit_many_unrelated
        )
