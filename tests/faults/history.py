"""What happened in one trial, as plain data: what clients asked and were told, and what took effect."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["say", "change", "get", "mirror"]

LOST_CONNECTION = 0
"""The status of a request whose connection was refused or broke: a definite, if bad, answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and what came back. Times are seconds of one monotonic clock.

    A command that is given again with the same key is a new exchange with the same `key`.
    """

    client: int
    kind: Kind
    began: float
    ended: float | None
    """None: nothing at all had come when the client stopped looking."""
    status: int = LOST_CONNECTION
    note: str = ""
    key: str = ""
    version: int | None = None
    """Of the note, as the answer says."""
    applied: int | None = None
    crossed: bool = False
    """It answers another question than this one."""

    @property
    def good(self) -> bool:
        """The client got what it asked for. A note that nobody has changed yet is rightly not found."""
        return self.ended is not None and (
            200 <= self.status < 300 or (self.kind == "get" and self.status == 404)
        )

    @property
    def refused(self) -> bool:
        """The command was told a definite no: it must never take effect."""
        return self.ended is not None and 400 <= self.status < 500 and self.status not in (408, 409, 429)

    @property
    def seconds(self) -> float | None:
        return None if self.ended is None else self.ended - self.began


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a note that took effect in echo."""

    note: str
    version: int
    key: str


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event in echo's outbox."""

    note: str
    number: int
    event: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """An event that took effect in mirror. `turn` counts the effects on its note in their order, from 1."""

    note: str
    number: int
    event: str
    turn: int


@dataclass(frozen=True, slots=True)
class History:
    """Everything known of one trial. `notes` are the versions that echo's notes have at the end."""

    exchanges: tuple[Exchange, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[tuple[str, int], ...] = ()
    emitted: tuple[Emitted, ...] = ()
    applied: tuple[Applied, ...] = ()
    boxed: bool = True
    """False when echo ran without its outbox: then nothing can be said of it."""

    def to_json(self) -> str:
        """For a person to look at after a violation: ids, versions, times and nothing else is in here."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> History:
        found: dict[str, Any] = json.loads(text)
        return cls(
            exchanges=tuple(Exchange(**row) for row in found["exchanges"]),
            changes=tuple(Change(**row) for row in found["changes"]),
            notes=tuple((name, version) for name, version in found["notes"]),
            emitted=tuple(Emitted(**row) for row in found["emitted"]),
            applied=tuple(Applied(**row) for row in found["applied"]),
            boxed=found["boxed"],
        )
