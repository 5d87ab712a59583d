"""Which services there are and who listens to whom. The broker's topology is derived from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Shape:
    """What a service does: answers requests, emits events, listens to others' events, has a database."""

    serves: bool
    emits: bool
    subscribes: tuple[str, ...] = ()
    keeps_data: bool = True


SERVICES: Mapping[str, Shape] = MappingProxyType(
    {
        "echo": Shape(serves=True, emits=True),
        "mirror": Shape(serves=True, emits=False, subscribes=("echo",)),
        "gateway": Shape(serves=False, emits=False, keeps_data=False),
    }
)
