"""Agencies and the states that they go through (R9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.contracts.errors import InvalidTransition
from services.contracts.vocabulary import AgencyState, AgencyType
from services.sharing.domain.places import PlaceRule

MOVES: Mapping[AgencyState, frozenset[AgencyState]] = {
    "proposed": frozenset({"protocol_drafted", "withdrawn"}),
    "protocol_drafted": frozenset({"signed", "proposed", "withdrawn"}),
    "signed": frozenset({"active", "protocol_drafted", "withdrawn"}),
    "active": frozenset({"suspended", "expired", "withdrawn"}),
    "suspended": frozenset({"active", "expired", "withdrawn"}),
    "expired": frozenset({"active", "protocol_drafted", "withdrawn"}),
    "withdrawn": frozenset({"proposed"}),
}


@dataclass(frozen=True, slots=True)
class Agency:
    """`version` counts its changes from 1; `places_version` those of its places, which not everybody sees."""

    id: str
    name: str
    type: AgencyType
    area: str | None
    state: AgencyState
    version: int
    created_at: datetime
    updated_at: datetime
    places: tuple[PlaceRule, ...] = ()
    places_version: int = 0


def check_move(kind: AgencyType, present: AgencyState, to: AgencyState) -> None:
    """Raises InvalidTransition. The operator is under contract, not under a protocol: no drafting; and it
    never leaves `active`, for nobody could let it in again."""
    if kind == "operator" and present == "proposed" and to == "active":
        return
    if kind == "operator" and present == "active":
        raise InvalidTransition(cause="the operator would lock itself out")
    if to not in MOVES[present]:
        raise InvalidTransition(cause=f"agency {present} to {to}")
