"""Is what is stored what was signed? Everything is computed again from the leaves.

    leaves       indexes without a gap, each entry once, the stored hashes of every subtree
    checkpoints  each signed by a key of the log's, with the root that the leaves have at its size
    tree         its size is that of the leaves
    details      each is what its leaf commits to, or was erased

The first that is wrong is named; nothing is changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.domain.notes import BadNote, Statement, Verifier
from services.audit.domain.vault import Unopened
from services.audit.stores.entries import EntryStore
from services.audit.stores.tree import Kept, StoredLeaf, TreeStore

AT_ONCE = 1000
SLACK = 5.0
"""Seconds between a key's choice and the time of its checkpoint, at most."""


class Broken(Exception):
    """What is wrong, and at which index; the text holds no detail."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was found right."""

    size: int
    checkpoints: int
    details: int
    erased: int


@dataclass(frozen=True, slots=True)
class KeyInTime:
    """A key of the log's, and when it signs (unix seconds)."""

    verifier: Verifier
    since: float
    until: float | None

    def signs(self, at: float) -> bool:
        return self.since <= at + SLACK and (self.until is None or at < self.until + SLACK)


def check(tree: TreeStore, entries: EntryStore, origin: str, keys: Sequence[KeyInTime]) -> Sound:
    """Raises Broken."""
    grown, details, erased = Frontier(), 0, 0
    signed = _Signed(tree.history(), origin, keys)
    signed.meet(grown)
    while rows := tree.stored(grown.size, grown.size + AT_ONCE):
        begin, end = grown.size, grown.size + AT_ONCE
        try:
            found = entries.between(begin, end)
        except Unopened as problem:
            raise Broken(f"index {begin} or after: a {problem} cannot be decrypted") from None
        gone = entries.erased(begin, end)
        for row in rows:
            grown = add(grown, row)
            if row.index in found:
                hold(row.index, row.leaf, found[row.index].text, found[row.index].salt)
                details += 1
            elif row.index in gone:
                erased += 1
            else:
                raise Broken(f"index {row.index}: the detail is gone and was not erased")
            signed.meet(grown)
    if signed.due is not None:
        raise Broken(f"index {grown.size}: {signed.due.size} entries are signed, and not here")
    if tree.size() != grown.size:
        raise Broken(f"index {min(tree.size(), grown.size)}: the tree says {tree.size()} entries")
    return Sound(grown.size, signed.count, details, erased)


class _Signed:
    """The checkpoints in their order; `due` is the next, `count` how many were found right.

    A key that was replaced signs no more: whoever has it cannot write the end of the log anew.
    """

    def __init__(self, kept: Iterator[Kept], origin: str, keys: Sequence[KeyInTime]) -> None:
        self._kept, self._origin = kept, origin
        self._keys = sorted(keys, key=lambda key: key.since)
        self._newest = 0
        self.due, self.count = next(kept, None), 0

    def meet(self, tree: Frontier) -> None:
        """Check what is signed of this tree. Raises Broken."""
        while self.due is not None and self.due.size <= tree.size:
            said = self._opened(self.due)
            if said != Statement(self._origin, tree.size, tree.root) or self.due.root != tree.root:
                raise Broken(f"index {tree.size}: the checkpoint is not of the entries before it")
            self.due, self.count = next(self._kept, None), self.count + 1

    def _opened(self, kept: Kept) -> Statement:
        """What a checkpoint says. Every line of it is by a key that signed at its time. Raises Broken."""
        text, _, lines = kept.note.rpartition("\n\n")
        signers = []
        for line in lines.splitlines(keepends=True):
            found = [place for place, key in enumerate(self._keys) if _by(key, kept, f"{text}\n\n{line}")]
            if not found:
                raise Broken(f"index {kept.size}: the checkpoint is not signed with a key of the log's")
            signers += found
        if not signers or max(signers) < self._newest:
            raise Broken(f"index {kept.size}: the checkpoint is signed with a key that had been replaced")
        self._newest = max(signers)
        try:
            return Statement.read(text + "\n")
        except BadNote:
            raise Broken(f"index {kept.size}: the checkpoint cannot be read") from None


def _by(key: KeyInTime, kept: Kept, note: str) -> bool:
    try:
        said = key.verifier.open(note)
    except BadNote:
        return False
    return key.signs(kept.at.timestamp()) and str(Statement.read(said)) == said


def add(tree: Frontier, row: StoredLeaf) -> Frontier:
    """The tree with this leaf. Raises Broken."""
    if row.index != tree.size:
        raise Broken(f"index {tree.size}: the entry is not there")
    if _fields(row).get("id") != row.id:
        raise Broken(f"index {row.index}: the id is not the leaf's")
    grown, complete = tree.add(leaf_hash(row.leaf))
    if b"".join(complete) != row.hashes:
        raise Broken(f"index {row.index}: the hashes are not those of the leaves")
    return grown


def hold(index: int, leaf: bytes, detail: str, salt: bytes) -> None:
    """That a detail is what its leaf commits to. Raises Broken."""
    said = json.loads(leaf).get("commitment")
    found = base64.b64encode(hashlib.sha256(salt + detail.encode()).digest()).decode()
    if not isinstance(said, str) or not hmac.compare_digest(said, found):
        raise Broken(f"index {index}: the detail is not what the leaf commits to")


def _fields(row: StoredLeaf) -> dict[str, object]:
    try:
        found = json.loads(row.leaf)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Broken(f"index {row.index}: the leaf cannot be read")
    return found
