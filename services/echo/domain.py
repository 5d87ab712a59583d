"""Notes: a text under an id, with a version that counts its changes from 1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A note at one version."""

    note_id: str
    text: str
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change that took effect: which version it made, and the key of the command that asked for it."""

    version: int
    key: str


def aggregate(note_id: str) -> str:
    """What the events of a note are about."""
    return f"notes/{note_id}"
