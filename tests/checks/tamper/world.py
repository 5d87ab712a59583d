"""A log as it is stored, in memory: what `fsck` reads, what an export and its files hold."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain import exporting
from services.audit.domain.merkle import Frontier
from services.audit.domain.notes import Signer, Statement
from services.audit.domain.sequencing import place
from services.audit.domain.vault import Sealed, Vault, Wrapped
from services.audit.stores.entries import Detail
from services.audit.stores.tree import Kept, StoredLeaf
from services.audit.tools import fsck
from tests.unit.audit.logs import NOW, ORIGIN, record, wrapping

BATCH = 8
ROTATED = NOW + timedelta(days=1)
"""When the old key was replaced: the first half of a log is signed with it."""


def private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


OLD, NEW, STRANGER = (Signer(ORIGIN, private(number)) for number in (1, 2, 3))
KEYS = [
    fsck.KeyInTime(OLD.verifier, 0.0, ROTATED.timestamp()),
    fsck.KeyInTime(NEW.verifier, ROTATED.timestamp(), None),
]


@dataclass
class Stored:
    """The collections, by name; rows by their `_id`."""

    leaves: dict[int, dict[str, Any]] = field(default_factory=dict)
    checkpoints: dict[int, dict[str, Any]] = field(default_factory=dict)
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    keys: dict[int, dict[str, Any]] = field(default_factory=dict)
    count: int = 0

    def copy(self) -> Stored:
        return copy.deepcopy(self)

    # -- as fsck reads it ----------------------------------------------------------------------------------

    def size(self) -> int:
        return self.count

    def stored(self, begin: int, end: int) -> list[StoredLeaf]:
        return [
            StoredLeaf(index, row["id"], row["leaf"], row["hashes"])
            for index, row in sorted(self.leaves.items())
            if begin <= index < end
        ]

    def history(self) -> Iterator[Kept]:
        for size, row in sorted(self.checkpoints.items()):
            yield Kept(size, row["root"], row["note"], row["at"])

    def between(self, begin: int, end: int) -> dict[int, Detail]:
        vault, found = Vault(wrapping().keys, "k1"), {}
        for index, row in self.entries.items():
            if begin <= index < end and "sealed" in row and index in self.keys:
                sealed = Sealed(row["sealed"], Wrapped(self.keys[index]["kek"], self.keys[index]["key"]))
                found[index] = Detail(index, NOW, *vault.open(index, sealed))
        return found

    def erased(self, begin: int, end: int) -> set[int]:
        return {index for index, row in self.entries.items() if begin <= index < end and "erased" in row}

    # -- as others get it ----------------------------------------------------------------------------------

    def raw_leaves(self) -> list[bytes]:
        return [row["leaf"] for _, row in sorted(self.leaves.items())]

    def export(self) -> bytes:
        details, lines = self.between(0, self.count), []
        for index, row in sorted(self.leaves.items()):
            found = details.get(index)
            kept = (found.text, found.salt) if found else (None, None)
            lines.append(exporting.line(index, row["leaf"], row["hashes"][:32], *kept))
        lines.append(exporting.last_line(self.checkpoints[max(self.checkpoints)]["note"]))
        return "".join(f"{line}\n" for line in lines).encode()


def filled(count: int, salt: int = 0) -> Stored:
    """A log of `count` entries, a checkpoint for each batch, a few details erased."""
    log, tree, vault = Stored(), Frontier(), Vault(wrapping().keys, "k1")
    sign(log, tree, OLD, NOW)
    for begin in range(0, count, BATCH):
        end = min(count, begin + BATCH)
        salted = ((record(number), bytes([salt, number % 256]) * 16) for number in range(begin, end))
        tree, placed = place(tree, salted)
        for one in placed:
            sealed = vault.seal(one.index, one.leaf)
            log.leaves[one.index] = {
                "id": one.record.id,
                "leaf": one.leaf.leaf,
                "hashes": b"".join(one.complete),
            }
            log.entries[one.index] = {"sealed": sealed.detail}
            log.keys[one.index] = {"kek": sealed.key.kid, "key": sealed.key.key}
        at = NOW + timedelta(seconds=begin) + (timedelta(days=1) if end > count // 2 else timedelta())
        sign(log, tree, OLD if at < ROTATED else NEW, at)
        log.count = end
    for index in range(3, count, 16):
        log.entries[index] = {"erased": NOW}
        del log.keys[index]
    return log


def sign(log: Stored, tree: Frontier, signer: Signer, at: datetime) -> None:
    note = signer.sign(str(Statement(ORIGIN, tree.size, tree.root)))
    log.checkpoints[tree.size] = {"root": tree.root, "note": note, "at": at.astimezone(UTC)}


def rewritten(log: Stored, index: int, signer: Signer) -> Stored:
    """By somebody with the whole database and a key: an entry is another, all above it is computed and signed
    anew, as well as they can."""
    found, tree = log.copy(), Frontier()
    leaf = json.loads(found.leaves[index]["leaf"])
    leaf["commitment"] = base64.b64encode(bytes(32)).decode()
    changed = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    found.leaves[index]["leaf"] = changed
    found.entries[index] = {"erased": NOW}
    from services.audit.domain.merkle import leaf_hash

    for at in range(found.count):
        tree, complete = tree.add(leaf_hash(found.leaves[at]["leaf"]))
        found.leaves[at]["hashes"] = b"".join(complete)
        if tree.size > index and tree.size in found.checkpoints:
            sign(found, tree, signer, found.checkpoints[tree.size]["at"])
    return found
