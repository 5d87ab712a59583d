"""Checks an exported audit log. It needs this one file, Python 3.11 and the package `cryptography`.

    python verifier.py export FILE --key KEY          FILE may be - for standard input

KEY is the log's public key as the operator publishes it (C2SP: name+hash+base64), or a file that holds it.
Get it from somewhere else than the export: it is what you trust. The program asks nobody anything.

It checks that every entry hashes to what is said, that every detail is what its entry was committed to, and
that all entries together have the root that the log has signed. It exits with 0 when all of it holds, with
1 when something does not, and names the first entry that it finds wrong, or says that the root is; with 2
when it was not asked properly.

Each line of an export is {"index", "leaf", "hash", "detail"?, "salt"?}, the last is {"note"}:
hash = SHA-256(0x00 ‖ leaf); the leaf is JSON whose "commitment" is SHA-256(salt ‖ detail); the note is a C2SP
signed note over a checkpoint (origin, size, root of the tree of RFC 9162, section 2.1).
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1
MARK = "\u2014 "
LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of a line; a longer one is not read into memory."""
_WITHOUT_DETAIL = {"index", "leaf", "hash"}
_WITH_DETAIL = _WITHOUT_DETAIL | {"detail", "salt"}


class Wrong(Exception):
    """What is wrong, in one sentence."""


class Unusable(Exception):
    """The key or the file cannot be used."""


@dataclass(frozen=True)
class Key:
    """The log's public key. Only what it has signed is believed."""

    name: str
    hash: bytes
    public: Ed25519PublicKey

    @classmethod
    def read(cls, text: str) -> Key:
        """From C2SP's "name+hash+base64". Raises Unusable."""
        name, _, rest = text.strip().partition("+")
        digest, _, value = rest.partition("+")
        try:
            raw = decode(value)
        except Wrong:
            raw = b""
        if not name or any(char.isspace() for char in name) or len(raw) != 33 or raw[0] != ED25519:
            raise Unusable("The key is not of the form name+hash+base64 of an Ed25519 key.")
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if digest != expected.hex():
            raise Unusable("The key's hash does not fit the key: it was not copied whole.")
        return cls(name, expected, Ed25519PublicKey.from_public_bytes(raw[1:]))

    def open(self, note: str) -> str:
        """The text of a note that this key has signed, others' signatures passed over. Raises Wrong."""
        body, found, signatures = note.rpartition("\n\n")
        if not found or not signatures.endswith("\n") or "\n\n" in body:
            raise Wrong("the checkpoint is not a signed note")
        text, signed = body + "\n", False
        for line in signatures[:-1].split("\n"):
            name, _, value = line.removeprefix(MARK).partition(" ")
            if not line.startswith(MARK) or not name:
                raise Wrong("the checkpoint is not a signed note")
            raw = decode(value)
            if name != self.name or raw[:4] != self.hash:
                continue
            try:
                self.public.verify(raw[4:], text.encode())
            except InvalidSignature:
                raise Wrong("the checkpoint's signature is not the log's") from None
            signed = True
        if not signed:
            raise Wrong("the checkpoint is not signed with this key")
        return text


@dataclass(frozen=True)
class Checkpoint:
    """What the log has signed."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """Raises Wrong."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0]:
            raise Wrong("the signed text is not a checkpoint")
        size = lines[1]
        if not (size.isascii() and size.isdigit()) or len(size) > 19 or str(int(size)) != size:
            raise Wrong("the signed text is not a checkpoint")
        root = decode(lines[2])
        if len(root) != 32:
            raise Wrong("the signed text is not a checkpoint")
        return cls(lines[0], int(size), root)


class Tree:
    """The root of RFC 9162's tree over hashes as they come, in memory for its height alone."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        rest, self.size = self.size, self.size + 1
        while rest & 1:
            hashed = _node(self._peaks.pop(), hashed)
            rest >>= 1
        self._peaks.append(hashed)

    @property
    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = _node(peak, found)
        return found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass
class Checked:
    """What was found to hold."""

    checkpoint: Checkpoint
    details: int


def verify_export(lines: Iterable[bytes], key: Key) -> Checked:
    """Check a whole export, line by line. Raises Wrong, which names the first entry that is wrong."""
    tree, details, note = Tree(), 0, None
    for raw in lines:
        if note is not None:
            raise Wrong("something follows the checkpoint")
        found = _read_line(raw, tree.size)
        if found.keys() == {"note"}:
            note = found["note"]
            continue
        try:
            hashed, has_detail = check_entry(found, tree.size)
        except Wrong as problem:
            raise Wrong(f"index {tree.size}: {problem}") from None
        tree.add(hashed)
        details += has_detail
    if not isinstance(note, str):
        raise Wrong(f"the export ends after {tree.size} entries without a checkpoint")
    checkpoint = Checkpoint.read(key.open(note))
    if checkpoint.origin != key.name:
        raise Wrong("the checkpoint is of another log")
    if checkpoint.size != tree.size:
        raise Wrong(f"root: the log signed {checkpoint.size} entries, the export has {tree.size}")
    if not hmac.compare_digest(checkpoint.root, tree.root):
        raise Wrong("root: the entries do not have the root that the log has signed")
    return Checked(checkpoint, details)


def check_entry(found: dict[str, Any], index: int) -> tuple[bytes, bool]:
    """The hash of one entry, and whether its detail came with it. Raises Wrong."""
    if found.keys() not in (_WITHOUT_DETAIL, _WITH_DETAIL):
        raise Wrong("the line does not have the fields of an entry")
    if type(found["index"]) is not int or found["index"] != index:
        raise Wrong("the entry with this index is not here")
    leaf, hashed = decode(found["leaf"]), decode(found["hash"])
    if hashlib.sha256(b"\0" + leaf).digest() != hashed:
        raise Wrong("the hash is not that of the leaf")
    if "detail" not in found:
        return hashed, False
    check_detail(leaf, found["detail"], found["salt"])
    return hashed, True


def check_detail(leaf: bytes, detail: object, salt: object) -> None:
    """That a detail is what the leaf commits to. Raises Wrong."""
    if not isinstance(detail, str):
        raise Wrong("the detail is not a text")
    committed = _object(leaf).get("commitment")
    if not isinstance(committed, str):
        raise Wrong("the leaf commits to nothing")
    try:
        given = hashlib.sha256(decode(salt) + detail.encode()).digest()
    except UnicodeEncodeError:
        raise Wrong("the detail is not a text") from None
    if not hmac.compare_digest(decode(committed), given):
        raise Wrong("the detail is not what the leaf commits to")


def decode(text: object) -> bytes:
    """Base64 in its one form. Raises Wrong."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None or base64.b64encode(raw).decode() != text:
        raise Wrong("not base64")
    return raw


def _read_line(raw: bytes, index: int) -> dict[str, Any]:
    line = raw.removesuffix(b"\n")
    try:
        if len(raw) > LINE_LIMIT or line != line.strip():
            raise Wrong("the line cannot be read")
        return _object(line)
    except Wrong as problem:
        raise Wrong(f"index {index}: {problem}") from None


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Wrong("the line cannot be read") from None
    if not isinstance(found, dict):
        raise Wrong("the line cannot be read")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice would be read in two ways."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_: str) -> None:
    raise ValueError


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Never more of a line than is looked at."""
    return iter(lambda: file.readline(LINE_LIMIT + 1), b"")


def run(file: str, key: str) -> str:
    """Verify the export in `file`; the good news in one line. Raises Wrong or Unusable."""
    try:
        known = Key.read(Path(key).read_text("utf-8") if "+" not in key else key)
        if file == "-":
            checked = verify_export(lines_of(sys.stdin.buffer), known)
        else:
            with open(file, "rb") as opened:
                checked = verify_export(lines_of(opened), known)
    except (OSError, UnicodeDecodeError) as problem:
        raise Unusable(f"A file cannot be read ({type(problem).__name__}).") from None
    root = base64.b64encode(checked.checkpoint.root).decode()
    size = checked.checkpoint.size
    return f"verified: {size} entries, {checked.details} with detail; root {root} signed by {known.name}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verifier", description="Check an exported audit log.")
    parser.add_argument("what", choices=["export"])
    parser.add_argument("file")
    parser.add_argument("--key", required=True)
    given = parser.parse_args(arguments)
    try:
        print(run(given.file, given.key))
    except Wrong as problem:
        print(f"NOT verified: {problem}", file=sys.stderr)
        return 1
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
