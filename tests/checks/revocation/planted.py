"""Which faults are planted, and how a system is started with them. (Their code is imported there alone.)

Those that are seen on different channels are planted in one system: a violation on a fault's own channels is
what finds that fault.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PATH = "tests.checks.revocation.planted_services"


@dataclass(frozen=True)
class Fault:
    """`channels`: where it, and no other fault of the same system, is seen."""

    name: str
    channels: frozenset[str]


@dataclass(frozen=True)
class Planting:
    """A system with faults in it. `classes`: which of its services are others; `marked`: instances that are
    told so by the environment, where the file is that tells them more."""

    faults: tuple[Fault, ...]
    classes: Mapping[str, str]
    marked: Sequence[str] = field(default=())

    def commands(self) -> dict[str, list[str]]:
        return {
            service: [sys.executable, "-m", "services.chassis.runner", f"{_PATH}:{name}"]
            for service, name in self.classes.items()
        }

    def environment(self, file: Path) -> dict[str, dict[str, str]]:
        return {name: {"PLANTED": str(file)} for name in self.marked}


PLANTED = Planting(
    (
        Fault("a 1-second permission cache", frozenset({"get", "304", "list", "search"})),
        Fault("an access list read before the content", frozenset({"entries"})),
        Fault("a late webhook filter", frozenset({"webhook"})),
    ),
    {"cases": "CachedAndApart", "notify": "FiltersEarly"},
)
BELIEVING = Planting(
    (Fault("majority reads from a deposed primary", frozenset({"get"})),),
    {"sharing": "BelievesSharing", "cases": "BelievesCases"},
    marked=("sharing-1", "cases-1", "cases-2"),
)
"""Of `sharing` one instance, which still finds a primary to write to; of `cases` both: that its copies may be
old is no fault, for the fences tell it so."""
