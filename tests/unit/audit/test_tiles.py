"""The log as files: read as the format's text says, they give the same root."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from services.audit.domain.notes import Statement
from services.audit.tools import tiles
from tests.unit.audit.logs import ORIGIN, signer, tree_of


def written(folder: Path, leaves: list[bytes]) -> int:
    tree, read = tree_of(leaves)
    note = signer().sign(str(Statement(ORIGIN, tree.size, tree.root)))
    return tiles.write(
        folder,
        tree.size,
        note,
        lambda nodes: [read(node) for node in nodes],
        lambda begin, end: leaves[begin:end],
    )


def entries(folder: Path, size: int) -> list[bytes]:
    """From the bundles alone, by the format's text."""
    found: list[bytes] = []
    for number in range((size + 255) // 256):
        width = min(256, size - number * 256)
        name = f"{number:03}" + ("" if width == 256 else f".p/{width}")
        raw, at = (folder / "tile" / "entries" / name).read_bytes(), 0
        while at < len(raw):
            length = int.from_bytes(raw[at : at + 2], "big")
            found.append(raw[at + 2 : at + 2 + length])
            at += 2 + length
    return found


def mth(found: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, over hashes of leaves."""
    if not found:
        return hashlib.sha256(b"").digest()
    if len(found) == 1:
        return found[0]
    k = 1
    while k * 2 < len(found):
        k *= 2
    return hashlib.sha256(b"\1" + mth(found[:k]) + mth(found[k:])).digest()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700])
def test_files_hold_the_log(tmp_path: Path, size: int) -> None:
    leaves = [f"leaf {number}".encode() * (number % 3 + 1) for number in range(size)]
    written(tmp_path, leaves)
    assert entries(tmp_path, size) == leaves
    hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    said = Statement.read(signer().verifier.open((tmp_path / "checkpoint").read_text()))
    assert (said.size, said.root) == (size, mth(hashes))
    for number in range(size // 256):
        tile = (tmp_path / "tile" / "0" / f"{number:03}").read_bytes()
        assert tile == b"".join(hashes[number * 256 : (number + 1) * 256])
        level1 = next((tmp_path / "tile" / "1").rglob(f"{size // 256}")).read_bytes()
        assert level1[number * 32 : number * 32 + 32] == mth(hashes[number * 256 : (number + 1) * 256])


def test_a_copy_is_brought_up_to_date(tmp_path: Path) -> None:
    leaves = [b"%d" % number for number in range(600)]
    written(tmp_path / "1", leaves[:300])
    more = written(tmp_path / "1", leaves)
    whole = written(tmp_path / "2", leaves)
    assert more < whole
    for file in (tmp_path / "2").rglob("*"):
        if file.is_file():
            assert (tmp_path / "1" / file.relative_to(tmp_path / "2")).read_bytes() == file.read_bytes()


def test_numbers_are_in_groups_of_three() -> None:
    assert tiles.path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.path("entries", 67, 5) == "tile/entries/067.p/5"
