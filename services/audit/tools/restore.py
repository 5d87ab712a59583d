"""A log that was kept as files, put back into an empty database.

Everything is computed again before anything is stored: the tiles from the leaves, every checkpoint from the
tree, every detail from what its leaf commits to. While it is stored it is computed once more, for files may
change meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.audit.domain.leaves import read_detail
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.domain.notes import Statement, Verifier
from services.audit.domain.vault import Sealed, Unopened, Vault
from services.audit.stores.entries import Rows, entry_row, wrapped_row
from services.audit.stores.restoring import RestoredTree
from services.audit.stores.tree import Kept as Checkpoint
from services.audit.stores.tree import StoredLeaf
from services.audit.stores.upkeep import EntryUpkeep, Kept
from services.audit.tools import cold, fsck, tiles
from services.audit.tools.tiles import WIDTH, BadTiles


@dataclass(frozen=True, slots=True)
class Copy:
    """Where it is: `tiles` as `tiles.write` left them, `details` as `cold.write` did. `keys`: the log's own;
    `known`: a checkpoint that somebody else has, with which the copy must agree."""

    tiles: Path
    details: Path
    keys: Sequence[Verifier]
    vault: Vault
    known: Statement | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    size: int
    details: int
    erased: int


@dataclass(frozen=True, slots=True)
class _Batch:
    leaves: list[StoredLeaf]
    rows: Rows


def restore(copy: Copy, tree: RestoredTree, entries: EntryUpkeep) -> Restored:
    """Raises BadTiles, fsck.Broken: nothing was stored; NotEmpty, OtherLog."""
    said = _checked(copy)
    found = Restored(said.size, 0, 0)
    for batch in _batches(copy, said):
        kept = len(batch.rows.keys)
        found = Restored(said.size, found.details + kept, found.erased + len(batch.leaves) - kept)
    signed = _history(copy, said)
    tree.begin(said.origin)
    for batch in _batches(copy, said):
        tree.put(batch.leaves)
        entries.put(batch.rows)
    tree.finish(said.size, signed)
    return found


def _checked(copy: Copy) -> Statement:
    """What the copy's checkpoint says, once its tiles are what it signs. Raises BadTiles."""
    said, known = tiles.check(copy.tiles, *copy.keys), copy.known
    if known is not None and known.size > said.size:
        raise BadTiles(f"checkpoint: {known.size} entries are known to be signed, and {said.size} are here")
    return said


def _batches(copy: Copy, said: Statement) -> Iterator[_Batch]:
    """Bundle by bundle, each found right. Raises BadTiles, Broken; at the end if the whole is not right."""
    tree = Frontier()
    for begin in range(0, said.size, WIDTH):
        width = min(WIDTH, said.size - begin)
        leaves = list[StoredLeaf]()
        for leaf in tiles.entries(copy.tiles, begin // WIDTH, width):
            tree, complete = tree.add(leaf_hash(leaf))
            leaves.append(StoredLeaf(tree.size - 1, _id(tree.size - 1, leaf), leaf, b"".join(complete)))
            _meet(copy.known, tree)
        rows = Rows([], [])
        for one, kept in zip(leaves, cold.details(copy.details, begin, width), strict=True):
            _add(rows, one, kept, copy.vault)
        if begin + width < said.size or tree.root == said.root:
            yield _Batch(leaves, rows)
    if tree.root != said.root:
        raise BadTiles("checkpoint: the entries do not have its root")


def _meet(known: Statement | None, tree: Frontier) -> None:
    if known is not None and known.size == tree.size and known.root != tree.root:
        raise BadTiles(f"index {tree.size}: the checkpoint that is known is not of the entries before it")


def _add(rows: Rows, leaf: StoredLeaf, kept: Kept, vault: Vault) -> None:
    if kept.sealed is None or kept.key is None:
        at = datetime.fromisoformat(str(_fields(leaf.index, leaf.leaf).get("at")))
        rows.entries.append({"_id": leaf.index, "at": at, "erased": kept.erased})
        return
    try:
        text, salt = vault.open(leaf.index, Sealed(kept.sealed, kept.key))
    except Unopened as problem:
        raise fsck.Broken(f"index {leaf.index}: its {problem} cannot be decrypted") from None
    fsck.hold(leaf.index, leaf.leaf, text, salt)
    rows.entries.append(entry_row(leaf.index, read_detail(text), kept.sealed))
    rows.keys.append({"_id": leaf.index, **wrapped_row(kept.key)})


def _history(copy: Copy, said: Statement) -> list[Checkpoint]:
    """Every checkpoint, each of the tree as it was then; the last is the copy's own. Raises BadTiles."""
    wanted = [
        (tiles.opened(note, copy.keys), at, note)
        for size, at, note in cold.history(copy.details)
        if size <= said.size
    ]
    sizes = [one.size for one, _, _ in wanted]
    if sizes != sorted(set(sizes)) or not wanted or wanted[-1][0] != said:
        raise BadTiles("checkpoints: these are not the log's, up to the copy's own")
    roots = _roots(copy, said, set(sizes))
    for one, _, _ in wanted:
        if one != Statement(said.origin, one.size, roots[one.size]):
            raise BadTiles(f"checkpoints: the one of {one.size} entries is not of the entries before it")
    return [Checkpoint(one.size, one.root, note, at) for one, at, note in wanted]


def _roots(copy: Copy, said: Statement, sizes: set[int]) -> Mapping[int, bytes]:
    tree, found = Frontier(), dict[int, bytes]()
    if 0 in sizes:
        found[0] = tree.root
    for begin in range(0, said.size, WIDTH):
        for leaf in tiles.entries(copy.tiles, begin // WIDTH, min(WIDTH, said.size - begin)):
            tree, _ = tree.add(leaf_hash(leaf))
            if tree.size in sizes:
                found[tree.size] = tree.root
    return found


def _id(index: int, leaf: bytes) -> str:
    found = _fields(index, leaf).get("id")
    if not isinstance(found, str):
        raise BadTiles(f"index {index}: the leaf has no id")
    return found


def _fields(index: int, leaf: bytes) -> dict[str, object]:
    try:
        found = json.loads(leaf)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadTiles(f"index {index}: the leaf cannot be read")
    return found
