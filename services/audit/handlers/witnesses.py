"""Witnesses: the history of checkpoints, cosignatures, and what proves that the log is not one history."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime

from services.audit.domain import cursors
from services.audit.domain.cosignatures import WitnessKey
from services.audit.domain.notes import BadNote, Statement, Verifier
from services.audit.stores.tree import TreeStore
from services.audit.stores.witnesses import Seen, WitnessStore
from services.chassis import metrics
from services.chassis.logkeys import LogKeys
from services.chassis.logs import log
from services.chassis.rpc import rpc
from services.contracts.access import has_role
from services.contracts.caller import Caller
from services.contracts.errors import (
    AlreadyExists,
    FieldError,
    Invalid,
    InvalidTransition,
    Malformed,
    RoleRequired,
    Unavailable,
)
from services.contracts.permissions import PERMITS
from services.contracts.witnesses import (
    AddCosignature,
    CheckpointItem,
    CheckpointList,
    Cosigned,
    ListCheckpoints,
    NewestCheckpoint,
    SignedCheckpoint,
    Witness,
)

PERMIT = PERMITS["audit"]["add_cosignature"]


class WitnessHandlers:
    """They name nobody's case and nobody: reading and cosigning checkpoints is not recorded."""

    tree: TreeStore
    witnesses: WitnessStore
    signing: LogKeys

    @rpc(expected_exceptions=Malformed)
    def list_checkpoints(self, request: ListCheckpoints, caller: Caller) -> CheckpointList:
        """A page of the history, the newest first, each with its cosignatures."""
        below = None if request.cursor is None else cursors.read(request.cursor, 1)[0]
        found = self.tree.checkpoints(below, request.limit + 1)
        shown = found[: request.limit]
        signed = self.witnesses.of(one.size for one in shown)
        items = tuple(
            CheckpointItem(
                size=one.size,
                root_hash=base64.b64encode(one.root).decode(),
                at=one.at,
                note=cosigned(one.note, signed.get(one.size, ())),
                witnesses=tuple(
                    Witness(name=seen.name, agency_id=seen.agency_id, at=seen.signed_at)
                    for seen in signed.get(one.size, ())
                ),
            )
            for one in shown
        )
        more = len(found) > request.limit
        return CheckpointList(items=items, next=cursors.write(shown[-1].size) if more else None)

    @rpc(callers=("notify",))
    def newest_checkpoint(self, request: NewestCheckpoint) -> SignedCheckpoint:
        """What is fed to agencies' systems. Raises Unavailable while there is none."""
        for one in self.tree.checkpoints(None, 1):
            return SignedCheckpoint(
                origin=self.signing.origin,
                size=one.size,
                root_hash=base64.b64encode(one.root).decode(),
                note=cosigned(one.note, self.witnesses.of([one.size]).get(one.size, ())),
                at=one.at,
            )
        raise Unavailable(cause="no checkpoint yet")

    @rpc(expected_exceptions=(Invalid, AlreadyExists, InvalidTransition, RoleRequired))
    def add_cosignature(self, request: AddCosignature, caller: Caller) -> Cosigned:
        """Keep a cosignature; the same one again changes nothing. Raises Invalid, AlreadyExists,
        InvalidTransition, RoleRequired."""
        if not has_role(caller, PERMIT):
            raise RoleRequired
        note, now = request.body.note, datetime.now(UTC)
        said = self._signed_by_us(note)
        if not self._have(said):
            if self.witnesses.conflict(said.size, note, caller.agency_id, now):
                log.error("log_conflict", count=said.size)
                metrics.log_conflict()
            raise InvalidTransition(cause="the log has another history than the one that it signed")
        try:
            key = WitnessKey.read(request.body.verifier_key)
            signed = key.find(note)
        except BadNote as problem:
            raise _wrong("/verifier_key", problem) from None
        if key.name == self.signing.origin or not self.witnesses.claim(key, caller.agency_id, now):
            raise AlreadyExists(cause="witness name")
        self.witnesses.add(said.size, key, signed, caller.agency_id, now)
        return Cosigned(size=said.size, witness=key.name)

    def _signed_by_us(self, note: str) -> Statement:
        origin = self.signing.origin
        problem = BadNote("no keys")
        for one in reversed(self.signing.keys):
            try:
                said = Statement.read(Verifier(origin, one.key.public_key().public_bytes_raw()).open(note))
            except BadNote as found:
                problem = found
                continue
            if said.origin == origin:
                return said
        raise _wrong("/note", problem)

    def _have(self, said: Statement) -> bool:
        return said.size <= self.tree.size() and self.tree.frontier(said.size).root == said.root


def cosigned(note: str, seen: Iterable[Seen]) -> str:
    """The note with the lines of its witnesses after the log's own."""
    return note + "".join(f"{one.line}\n" for one in seen)


def _wrong(pointer: str, problem: BadNote) -> Invalid:
    return Invalid(errors=(FieldError(pointer, "invalid", f"This does not verify: {problem}."),))
