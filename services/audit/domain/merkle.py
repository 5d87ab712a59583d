"""The Merkle tree of RFC 9162, section 2.1, over any store of hashes.

    leaf   SHA-256(0x00 ‖ leaf)
    node   SHA-256(0x01 ‖ left ‖ right)

A proof is planned first, as the ranges of leaves whose hashes it lists; each range is covered by perfect
subtrees (`Node`), all of which are stored, so that any proof reads at most about 2·log2(size) hashes. A
perfect subtree is complete with its last leaf: `Node.leaf` says where its hash is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_SIZE = 32


class Range(NamedTuple):
    """The leaves from `begin` to before `end`."""

    begin: int
    end: int


class Node(NamedTuple):
    """The root of the perfect subtree over leaves [number·2^height, (number+1)·2^height)."""

    height: int
    number: int

    @property
    def leaf(self) -> int:
        """The last leaf under it: with that, it was complete."""
        return ((self.number + 1) << self.height) - 1


Read = Callable[[Node], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that one needs to know of a tree to make it grow: its size, and the roots of the perfect subtrees
    that it consists of, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        return fold(self.peaks)

    def add(self, hashed: bytes) -> tuple[Frontier, tuple[bytes, ...]]:
        """The tree with one more leaf, and the hashes of the subtrees that are complete with it: the leaf's
        own first, each the left-hand neighbour of the next."""
        peaks, complete = list(self.peaks), [hashed]
        rest = self.size
        while rest & 1:
            complete.append(node_hash(peaks.pop(), complete[-1]))
            rest >>= 1
        return Frontier(self.size + 1, (*peaks, complete[-1])), tuple(complete)


def fold(peaks: Sequence[bytes]) -> bytes:
    """The hash of a range from the perfect subtrees that cover it, the leftmost first."""
    if not peaks:
        return EMPTY_ROOT
    found = peaks[-1]
    for peak in reversed(peaks[:-1]):
        found = node_hash(peak, found)
    return found


def cover(part: Range) -> list[Node]:
    """The fewest perfect subtrees over a range that is a subtree of a tree (RFC 9162, 2.1.1)."""
    begin, found = part.begin, []
    while begin < part.end:
        height = (part.end - begin).bit_length() - 1
        found.append(Node(height, begin >> height))
        begin += 1 << height
    return found


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove leaf `index` in the tree of `size` leaves (2.1.3.1), the nearest first.

    Raises ValueError for a leaf that is not in the tree.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in this tree")
    begin, end, found = 0, size, list[Range]()
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            found.append(Range(middle, end))
            end = middle
        else:
            found.append(Range(begin, middle))
            begin = middle
    return found[::-1]


def consistency(earlier: int, later: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of `later` leaves begins with that of `earlier` (2.1.4.1).

    Nothing is needed from the empty tree, or for equal sizes. Raises ValueError for sizes in the wrong order.
    """
    if not 0 <= earlier <= later:
        raise ValueError("the earlier tree is not larger than the later")
    if earlier in (0, later):
        return []
    begin, end, found, whole = 0, later, list[Range](), True
    while earlier != end:
        middle = begin + _split(end - begin)
        if earlier <= middle:
            found.append(Range(middle, end))
            end = middle
        else:
            found.append(Range(begin, middle))
            begin, whole = middle, False
    if not whole:
        found.append(Range(begin, end))
    return found[::-1]


def nodes(ranges: Iterable[Range]) -> list[Node]:
    """Everything that has to be read for a proof."""
    return [node for part in ranges for node in cover(part)]


def hashes(ranges: Iterable[Range], read: Read) -> list[bytes]:
    """The hashes of a proof, in its order."""
    return [fold([read(node) for node in cover(part)]) for part in ranges]


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
