"""Which services there are and who listens to whom. The broker's topology is derived from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Shape:
    """What a service does: answers requests, emits events, listens to others' events, has a database.

    `records`: tells the recorder what it is about to show or change. `proving`: part of the proving ground,
    started only when somebody asks for it.
    """

    serves: bool
    emits: bool
    subscribes: tuple[str, ...] = ()
    keeps_data: bool = True
    records: bool = False
    proving: bool = False


RECORDER = "audit"
"""Takes the records of every service with `records`, from the queue `intake`."""


SERVICES: Mapping[str, Shape] = MappingProxyType(
    {
        "sharing": Shape(serves=True, emits=True, records=True),
        "cases": Shape(serves=True, emits=True, records=True),
        "audit": Shape(serves=True, emits=False, records=True),
        "notify": Shape(serves=True, emits=False, subscribes=("cases", "sharing"), records=True),
        "gateway": Shape(serves=False, emits=False, keeps_data=False),
        "echo": Shape(serves=True, emits=True, proving=True),
        "mirror": Shape(serves=True, emits=False, subscribes=("echo",), proving=True),
    }
)
