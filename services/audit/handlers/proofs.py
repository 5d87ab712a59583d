"""Checkpoints, keys, proofs: what anybody needs to check the log without trusting whoever keeps it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from services.audit.domain import merkle
from services.audit.domain.merkle import Range
from services.audit.domain.notes import Verifier
from services.audit.handlers.reading import Reading
from services.audit.handlers.witnesses import cosigned
from services.audit.stores.witnesses import WitnessStore
from services.chassis.logkeys import LogKeys
from services.chassis.rpc import rpc
from services.contracts.audit import (
    Checkpoint,
    Consistency,
    GetConsistency,
    GetProof,
    KeyList,
    LatestCheckpoint,
    ListKeys,
    LogKey,
    Proof,
)
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid, NotVisible, Unavailable
from services.contracts.records import Object


class ProofHandlers(Reading):
    """What is proved."""

    signing: LogKeys
    witnesses: WitnessStore

    @rpc(expected_exceptions=(Invalid, NotVisible))
    def get_proof(self, request: GetProof, caller: Caller) -> Proof:
        """That an entry is in the log. Raises NotVisible, Invalid, Unavailable,
        LogDamaged."""
        detail, leaf, _ = self.visible(caller, request.entry_id)
        size, _, _ = self._latest()
        if request.size is not None:
            if not detail.index < request.size <= size:
                raise _wrong("/size")
            size = request.size
        elif detail.index >= size:
            raise Unavailable(cause="no checkpoint covers the entry yet")
        disclosed = self.recorded(caller, [Object(type="log_entry", id=request.entry_id)], how="opened")
        hashes = self._hashes(merkle.inclusion(detail.index, size))
        return Proof(index=detail.index, size=size, leaf=_text(leaf), hashes=hashes, disclosed=disclosed)

    @rpc
    def latest_checkpoint(self, request: LatestCheckpoint, caller: Caller) -> Checkpoint:
        """The newest checkpoint. Raises Unavailable while there is none."""
        size, root, note = self._latest()
        signed = cosigned(note, self.witnesses.of([size]).get(size, ()))
        return Checkpoint(origin=note.partition("\n")[0], size=size, root_hash=_text(root), note=signed)

    @rpc(expected_exceptions=Invalid)
    def get_consistency(self, request: GetConsistency, caller: Caller) -> Consistency:
        """That one tree begins with another. Raises Invalid, LogDamaged."""
        size, _, _ = self._latest()
        if request.until > size:
            raise _wrong("/to")
        if request.since > request.until:
            raise _wrong("/from")
        hashes = self._hashes(merkle.consistency(request.since, request.until))
        return Consistency(since=request.since, until=request.until, hashes=hashes)

    @rpc
    def list_keys(self, request: ListKeys, caller: Caller) -> KeyList:
        """The public halves of all keys that have signed, or will."""
        items = tuple(
            LogKey(
                name=self.signing.origin,
                algorithm="ed25519",
                verifier_key=str(Verifier(self.signing.origin, one.key.public_key().public_bytes_raw())),
                since=datetime.fromtimestamp(one.since, UTC),
                until=None if one.until is None else datetime.fromtimestamp(one.until, UTC),
            )
            for one in self.signing.keys
        )
        return KeyList(items=items, next=None)

    def _latest(self) -> tuple[int, bytes, str]:
        latest = self.tree.latest()
        if latest is None:
            raise Unavailable(cause="no checkpoint yet")
        return latest

    def _hashes(self, ranges: Sequence[Range]) -> tuple[str, ...]:
        read = self.tree.hashes(merkle.nodes(ranges))
        return tuple(_text(one) for one in merkle.hashes(ranges, read.__getitem__))


def _wrong(pointer: str) -> Invalid:
    return Invalid(errors=(FieldError(pointer, "out_of_range", "This number is out of range."),))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
