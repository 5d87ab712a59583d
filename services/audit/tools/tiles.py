"""The log as files, as other people's tools read them: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

    checkpoint                    the newest, a signed note
    tile/L/N[.p/W]                up to 256 hashes of level L
    tile/entries/N[.p/W]          the entries' leaves, each after its length in two bytes

N is in groups of three digits, all but the last after an x: 1234067 is x001/x234/067. Leaves commit to
details and hold none, so that these files may be given to anybody. Tiles that are there and whole are not
written anew: a copy is brought up to date.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from services.audit.domain.merkle import HASH_SIZE, Frontier, Node, leaf_hash
from services.audit.domain.notes import BadNote, Statement, Verifier

WIDTH = 256
HEIGHT = 8
LEAF_LIMIT = 65535

ReadHashes = Callable[[list[Node]], list[bytes]]
ReadLeaves = Callable[[int, int], list[bytes]]


def number(index: int) -> str:
    """The path of tile number `index`."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Of a tile with `width` entries, below the log's prefix."""
    part = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{number(index)}{part}"


def tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, number, width) of every tile of a tree of `size` entries."""
    level, count = 0, size
    while count:
        for index in range(0, count, WIDTH):
            yield level, index // WIDTH, min(WIDTH, count - index)
        level, count = level + 1, count // WIDTH


def nodes(level: int, index: int, width: int) -> list[Node]:
    """The subtrees whose hashes a tile holds."""
    return [Node(HEIGHT * level, index * WIDTH + at) for at in range(width)]


def bundle(leaves: list[bytes]) -> bytes:
    """A tile of entries. Raises ValueError for one that is too long for the format."""
    if any(len(leaf) > LEAF_LIMIT for leaf in leaves):
        raise ValueError("an entry is too long for a tile")
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def write(folder: Path, size: int, note: str, hashes: ReadHashes, leaves: ReadLeaves) -> int:
    """Write the tree of `size` entries, the checkpoint last: what it says is there. How many files."""
    written = 0
    for level, index, width in tiles(size):
        written += _tile(folder, level, index, width, hashes)
        if level == 0:
            begin = index * WIDTH
            file = folder / path("entries", index, width)
            if not file.exists():
                written += _put(file, bundle(leaves(begin, begin + width)))
    return written + _put(folder / "checkpoint", note.encode())


def _tile(folder: Path, level: int, index: int, width: int, hashes: ReadHashes) -> int:
    file = folder / path(level, index, width)
    if file.exists():
        return 0
    content = b"".join(hashes(nodes(level, index, width)))
    if len(content) != width * HASH_SIZE:
        raise ValueError("hashes are missing")
    return _put(file, content)


def _put(file: Path, content: bytes) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    new.write_bytes(content)
    new.replace(file)
    return 1


class BadTiles(Exception):
    """A file is not what the checkpoint says; the text names it."""


def opened(note: str, keys: Sequence[Verifier]) -> Statement:
    """What a note of the log's says. Raises BadTiles."""
    for key in keys:
        try:
            return Statement.read(key.open(note))
        except BadNote:
            continue
    raise BadTiles("checkpoint: it is not signed with a key of the log's")


def check(folder: Path, *keys: Verifier) -> Statement:
    """That the files are the log that the checkpoint signs, computed from the entries. Raises BadTiles."""
    try:
        said = opened((folder / "checkpoint").read_bytes().decode(), keys)
    except (OSError, UnicodeDecodeError) as problem:
        raise BadTiles(f"checkpoint: {type(problem).__name__}") from None
    tree, kept = Frontier(), list[tuple[bytes, ...]]()
    for level, index, width in tiles(said.size):
        if level == 0:
            for leaf in entries(folder, index, width):
                tree, complete = tree.add(leaf_hash(leaf))
                kept.append(complete)
        wanted = b"".join(kept[node.leaf][node.height] for node in nodes(level, index, width))
        if _read(folder, path(level, index, width)) != wanted:
            raise BadTiles(f"{path(level, index, width)}: these are not the hashes of the entries")
    if (tree.size, tree.root) != (said.size, said.root):
        raise BadTiles("checkpoint: the entries do not have its root")
    return said


def entries(folder: Path, index: int, width: int) -> list[bytes]:
    """The leaves of one bundle. Raises BadTiles."""
    name = path("entries", index, width)
    raw, at, found = _read(folder, name), 0, list[bytes]()
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw) or at + 2 > len(raw):
            raise BadTiles(f"{name}: it ends within an entry")
        found.append(raw[at + 2 : end])
        at = end
    if len(found) != width:
        raise BadTiles(f"{name}: {len(found)} entries")
    return found


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError:
        raise BadTiles(f"{name}: it is not there") from None
