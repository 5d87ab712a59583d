"""Receipts: one entry with everything that proves it, to be checked by anybody, anywhere."""

from __future__ import annotations

import base64

from services.audit.domain import merkle
from services.audit.handlers.reading import Reading
from services.chassis.rpc import rpc
from services.contracts.audit import Checkpoint, Proof
from services.contracts.caller import Caller
from services.contracts.errors import NotVisible, Unavailable
from services.contracts.records import Object
from services.contracts.statements import GetReceipt, Receipt, ReceiptEntry


class ReceiptHandlers(Reading):
    @rpc(expected_exceptions=NotVisible)
    def get_receipt(self, request: GetReceipt, caller: Caller) -> Receipt:
        """Entry, proof, checkpoint; the detail only for who may see the whole entry. Raises NotVisible,
        Unavailable."""
        detail, leaf, sight = self.visible(caller, request.entry_id)
        latest = self.tree.latest()
        if latest is None or detail.index >= latest[0]:
            raise Unavailable(cause="no checkpoint covers the entry yet", retry_after=2)
        size, root, note = latest
        ranges = merkle.inclusion(detail.index, size)
        read = self.tree.hashes(merkle.nodes(ranges))
        entry = ReceiptEntry(id=request.entry_id, index=detail.index)
        if sight.sees_whole(detail.record):
            entry = ReceiptEntry(
                id=request.entry_id, index=detail.index, detail=detail.text, salt=_text(detail.salt)
            )
        return Receipt(
            entry=entry,
            proof=Proof(
                index=detail.index,
                size=size,
                leaf=_text(leaf),
                hashes=tuple(_text(one) for one in merkle.hashes(ranges, read.__getitem__)),
            ),
            checkpoint=Checkpoint(
                origin=note.partition("\n")[0], size=size, root_hash=_text(root), note=note
            ),
            disclosed=self.recorded(caller, [Object(type="log_entry", id=request.entry_id)], how="exported"),
        )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
