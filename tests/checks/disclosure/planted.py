"""Which faults are planted, and how a service is started with one. (Its code is imported there alone.)"""

from __future__ import annotations

import sys
from dataclasses import dataclass

_PATH = "tests.checks.disclosure.planted_services"


@dataclass(frozen=True, slots=True)
class Planted:
    """`found_as`: what the join must find of it, once these acts were done so many times. A late record is
    missing where its process was killed before it."""

    fault: str
    service: str
    code: str
    found_as: str
    acts: tuple[str, ...] = ("kill_cases",)
    times: int = 2

    @property
    def commands(self) -> dict[str, list[str]]:
        return {self.service: [sys.executable, "-m", "services.chassis.runner", f"{_PATH}:{self.code}"]}


PLANTED = (
    Planted("a read without record", "cases", "WithoutRecord", "missing"),
    Planted("a record after reveal", "cases", "RecordAfterwards", "missing", times=3),
    Planted("a doubled record", "cases", "RecordTwice", "doubled"),
    Planted("two writers", "audit", "KnowsNoOther", "doubled", acts=("two_writers",), times=1),
)
