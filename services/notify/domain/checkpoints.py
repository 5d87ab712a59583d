"""A checkpoint of the audit log on its way to an agency's system, which can compare it with others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.contracts.notify import CheckpointData, CheckpointEvent
from services.contracts.vocabulary import LogEventName
from services.contracts.witnesses import SignedCheckpoint

CHECKPOINT_SIGNED: Final[LogEventName] = "checkpoint.signed"
LANE = "audit/checkpoints"
_SOURCE = "/concordat/audit"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What `audit` signed at `at`. It is delivered as an `Item` is, but names nobody."""

    event_id: str
    at: datetime
    origin: str
    size: int
    root_hash: str
    note: str

    @property
    def type(self) -> str:
        return CHECKPOINT_SIGNED

    @property
    def number(self) -> int:
        """Of two in the lane the larger tree comes last."""
        return self.size

    @property
    def lane(self) -> str:
        return LANE

    @property
    def tree(self) -> str:
        """The same for two checkpoints that say the same, however many witnesses have signed them since."""
        return f"{self.origin}/{self.size}/{self.root_hash}"

    def thin(self, sequence: int | None = None) -> CheckpointEvent:
        """As the subscriber gets it."""
        numbered: dict[str, Any] = {} if sequence is None else {"sequence": str(sequence)}
        return CheckpointEvent(
            specversion="1.0",
            id=self.event_id,
            source=_SOURCE,
            type=self.type,
            time=self.at,
            subject=f"checkpoints/{self.size}",
            datacontenttype="application/json",
            data=CheckpointData(origin=self.origin, size=self.size, root_hash=self.root_hash, note=self.note),
            **numbered,
        )


def checkpoint_of(signed: SignedCheckpoint, event_id: str) -> Checkpoint:
    return Checkpoint(event_id, signed.at, signed.origin, signed.size, signed.root_hash, signed.note)
