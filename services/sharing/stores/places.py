"""How an agency's rules on places and devices stand in a document: in `agencies`, and beside in `standing`.

[{marking, networks: [CIDR], device_classes, step_up}]
"""

from __future__ import annotations

from collections.abc import Iterable

from services.chassis.mongo import Document
from services.sharing.domain.places import PlaceRule


def rows_of(rules: Iterable[PlaceRule]) -> list[Document]:
    return [
        {
            "marking": one.marking,
            "networks": list(one.networks),
            "device_classes": list(one.device_classes),
            "step_up": one.step_up,
        }
        for one in rules
    ]


def rules_of(rows: Iterable[Document]) -> tuple[PlaceRule, ...]:
    return tuple(
        PlaceRule(one["marking"], tuple(one["networks"]), tuple(one["device_classes"]), one["step_up"])
        for one in rows
    )
