"""Checking proofs of RFC 9162, with nothing of the server's code.

Every number and hash here comes from who is not trusted: what does not fit is False, never an exception.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """That `leaf` is entry `index` of the tree of `size` entries with this root (2.1.3.2)."""
    if not 0 <= index < size or not _hashes(proof, root):
        return False
    fn, sn, found = index, size - 1, leaf_hash(leaf)
    for one in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = _node(one, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = _node(found, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(found, root)


def extends(before: tuple[int, bytes], after: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """That the tree `after` (size, root) begins with the tree `before` (2.1.4.2)."""
    (first, first_root), (second, second_root) = before, after
    if not 0 <= first <= second or not _hashes(proof, first_root, second_root):
        return False
    if first == second:
        return not proof and hmac.compare_digest(first_root, second_root)
    if first == 0:
        return not proof and hmac.compare_digest(first_root, EMPTY_ROOT)
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for one in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = _node(one, old), _node(one, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = _node(new, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(old, first_root) and hmac.compare_digest(new, second_root)


def _hashes(proof: Sequence[bytes], *roots: bytes) -> bool:
    return len(proof) <= 128 and all(len(one) == HASH_SIZE for one in (*proof, *roots))


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
