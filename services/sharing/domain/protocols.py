"""Information sharing protocols: their states, and what the calendar does to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.contracts.errors import FieldError, Invalid, InvalidTransition
from services.contracts.sharing.protocols import Contact, ProtocolState, Purpose

MOVES: Mapping[ProtocolState, frozenset[ProtocolState]] = {
    "draft": frozenset({"signed", "ended"}),
    "signed": frozenset({"active", "draft", "ended"}),
    "active": frozenset({"expired", "ended"}),
    "expired": frozenset({"active", "ended"}),
    "ended": frozenset(),
}
IN_A_DRAFT_ONLY = frozenset({"title", "purposes", "data_categories", "starts_on"})


@dataclass(frozen=True, slots=True)
class Signatory:
    name: str
    agency_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Protocol:
    """`state` is what was decided; `shown` says what it is on a day."""

    id: str
    title: str
    state: ProtocolState
    parties: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    data_categories: tuple[str, ...]
    starts_on: date
    ends_on: date
    review_on: date
    spoc: Contact
    dpo: Contact
    document_sha256: str | None
    signatories: tuple[Signatory, ...]
    version: int
    created_at: datetime
    updated_at: datetime

    def shown(self, today: date) -> ProtocolState:
        return state_on(self.state, self.ends_on, today)

    def in_force(self, today: date) -> bool:
        return self.shown(today) == "active" and self.starts_on <= today


def state_on(state: ProtocolState, ends_on: date, today: date) -> ProtocolState:
    """An active protocol has expired when its last day is over."""
    return "expired" if state == "active" and ends_on < today else state


def check_move(shown: ProtocolState, to: ProtocolState, ends_on: date, today: date) -> None:
    """Raises InvalidTransition. What has expired is renewed by a later end, not by saying so."""
    if to not in MOVES[shown] or (shown == "expired" and to == "active" and ends_on < today):
        raise InvalidTransition(cause=f"protocol {shown} to {to}")


def check_changes(shown: ProtocolState, changed: set[str]) -> None:
    """Raises InvalidTransition: what was signed stays as it was signed."""
    if shown == "ended" or (shown != "draft" and changed & IN_A_DRAFT_ONLY):
        raise InvalidTransition(cause=f"protocol {shown} changed")


def check_parties(shown: ProtocolState, before: Collection[str], after: Collection[str]) -> None:
    """Raises Invalid. Others may join later; one that leaves takes its own state, for shares rest on this."""
    if shown != "draft" and not set(before) <= set(after):
        raise Invalid(errors=(FieldError("/parties", "party_missing", "A party cannot be taken out."),))


def renewed(state: ProtocolState, ends_on: date, today: date) -> ProtocolState:
    """The state to keep after a PATCH: a later end brings an expired protocol back."""
    return "active" if state == "expired" and ends_on >= today else state


def check_dates(starts_on: date, ends_on: date) -> None:
    """Raises Invalid."""
    if ends_on < starts_on:
        error = FieldError("/ends_on", "before_start", "It ends before it starts.")
        raise Invalid(errors=(error,))
