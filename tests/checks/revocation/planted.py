"""Which faults are planted, and how a system is started with them. (Their code is imported there alone.)

Those that are seen on different channels, or after different kinds of narrowings, are planted in one system:
a violation on a fault's own channels, after its own kinds, is what finds that fault.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.checks.revocation.history import BY_SHARE
from tests.checks.revocation.judge import Violation

_PATH = "tests.checks.revocation.planted_services"


@dataclass(frozen=True)
class Fault:
    """`channels` and `kinds`: where, and after which narrowings, it is seen, and no other fault of the same
    system; empty: wherever, after whichever."""

    name: str
    channels: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    def shows(self, violation: Violation) -> bool:
        channel, kind = violation.sighting.channel, violation.narrowing.kind
        return (not self.channels or channel in self.channels) and (not self.kinds or kind in self.kinds)


def by_fault(faults: Sequence[Fault], found: Sequence[Violation]) -> dict[str, int]:
    """How many violations show each."""
    return {fault.name: sum(fault.shows(one) for one in found) for fault in faults}


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
        Fault("a 1-second permission cache", frozenset({"get", "304", "list", "search"}), BY_SHARE),
        Fault("an access list read before the content", frozenset({"entries"}), BY_SHARE),
        Fault("a late webhook filter", frozenset({"webhook"}), BY_SHARE - {"section"}),
        Fault("a 1-second cache of who somebody is", kinds=frozenset({"account"})),
        Fault("a 1-second cache of how agencies stand", kinds=frozenset({"agency", "procedure"})),
        Fault("sections by a list of a second ago", frozenset({"stream", "inbox"}), frozenset({"section"})),
    ),
    {"cases": "CachedAndApart", "notify": "FiltersEarly", "sharing": "Remembers"},
)
BELIEVING = Planting(
    (Fault("majority reads from a deposed primary", frozenset({"get"})),),
    {"sharing": "BelievesSharing", "cases": "BelievesCases"},
    marked=("sharing-1", "cases-1", "cases-2"),
)
"""Of `sharing` one instance, which still finds a primary to write to; of `cases` both: that its copies may be
old is no fault, for the fences tell it so."""
