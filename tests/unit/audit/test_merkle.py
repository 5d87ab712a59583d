"""The tree against RFC 9162 written down literally, and the vectors of Certificate Transparency."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain import merkle
from services.audit.domain.merkle import Frontier, Node, Range
from tests.unit.audit.logs import tree_of

# The test vectors of RFC 6962's and RFC 9162's reference implementation (google/certificate-transparency).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): INCLUSION[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
SIZES = st.integers(1, 130)


def leaves(count: int) -> list[bytes]:
    return [number.to_bytes(4, "big") for number in range(count)]


# -- the RFC, word for word -------------------------------------------------------------------------------


def split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(found: list[bytes]) -> bytes:
    if not found:
        return hashlib.sha256(b"").digest()
    if len(found) == 1:
        return hashlib.sha256(b"\0" + found[0]).digest()
    k = split(len(found))
    return hashlib.sha256(b"\1" + mth(found[:k]) + mth(found[k:])).digest()


def path(m: int, found: list[bytes]) -> list[bytes]:
    if len(found) == 1:
        return []
    k = split(len(found))
    if m < k:
        return [*path(m, found[:k]), mth(found[k:])]
    return [*path(m - k, found[k:]), mth(found[:k])]


def subproof(m: int, found: list[bytes], whole: bool) -> list[bytes]:
    if m == len(found):
        return [] if whole else [mth(found)]
    k = split(len(found))
    if m <= k:
        return [*subproof(m, found[:k], whole), mth(found[k:])]
    return [*subproof(m - k, found[k:], False), mth(found[:k])]


def root_from_inclusion(index: int, size: int, leaf: bytes, hashes: list[bytes]) -> bytes | None:
    """RFC 9162, 2.1.3.2."""
    fn, sn, found = index, size - 1, merkle.leaf_hash(leaf)
    for one in hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            found = merkle.node_hash(one, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = merkle.node_hash(found, one)
        fn, sn = fn >> 1, sn >> 1
    return found if sn == 0 else None


# -- tests --------------------------------------------------------------------------------------------------


def test_the_roots_are_those_of_the_vectors() -> None:
    tree = Frontier()
    assert tree.root == merkle.EMPTY_ROOT
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree, _ = tree.add(merkle.leaf_hash(leaf))
        assert tree.root.hex() == root


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_vectors(index: int, size: int) -> None:
    _, read = tree_of(LEAVES)
    hashes = merkle.hashes(merkle.inclusion(index, size), read)
    assert tuple(one.hex() for one in hashes) == INCLUSION[index, size]


@pytest.mark.parametrize(("earlier", "later"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_vectors(earlier: int, later: int) -> None:
    _, read = tree_of(LEAVES)
    hashes = merkle.hashes(merkle.consistency(earlier, later), read)
    assert tuple(one.hex() for one in hashes) == CONSISTENCY[earlier, later]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_inclusion_proof_is_the_rfcs_and_leads_to_the_root(data: st.DataObject) -> None:
    total = data.draw(SIZES)
    size = data.draw(st.integers(1, total))
    index = data.draw(st.integers(0, size - 1))
    found = leaves(total)
    _, read = tree_of(found)
    hashes = merkle.hashes(merkle.inclusion(index, size), read)
    assert hashes == path(index, found[:size])
    assert root_from_inclusion(index, size, found[index], hashes) == mth(found[:size])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_consistency_proof_is_the_rfcs(data: st.DataObject) -> None:
    total = data.draw(SIZES)
    later = data.draw(st.integers(1, total))
    earlier = data.draw(st.integers(1, later))
    found = leaves(total)
    _, read = tree_of(found)
    assert merkle.hashes(merkle.consistency(earlier, later), read) == subproof(earlier, found[:later], True)


@given(SIZES)
def test_a_tree_is_known_again_from_what_covers_it(size: int) -> None:
    tree, read = tree_of(leaves(size))
    again = Frontier(size, tuple(read(node) for node in merkle.cover(Range(0, size))))
    assert again == tree
    assert again.root == mth(leaves(size))


@given(st.integers(1, 2**40), st.data())
def test_a_proof_reads_logarithmically_many_hashes(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    ranges = merkle.inclusion(index, size)
    assert len(merkle.nodes(ranges)) <= 2 * size.bit_length()
    for part in ranges:
        covered = [
            (node.number << node.height, (node.number + 1) << node.height) for node in merkle.cover(part)
        ]
        assert covered[0][0] == part.begin
        assert covered[-1][1] == part.end
        assert all(one[1] == other[0] for one, other in pairwise(covered))


def test_a_subtrees_hash_is_kept_with_its_last_leaf() -> None:
    assert [Node(0, 5).leaf, Node(1, 2).leaf, Node(3, 0).leaf] == [5, 5, 7]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 2)])
def test_what_is_not_in_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion(index, size)


@pytest.mark.parametrize(("earlier", "later", "hashes"), [(0, 5, 0), (5, 5, 0)])
def test_from_nothing_and_to_itself_nothing_has_to_be_proved(earlier: int, later: int, hashes: int) -> None:
    assert len(merkle.consistency(earlier, later)) == hashes


def test_sizes_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="earlier"):
        merkle.consistency(5, 4)
