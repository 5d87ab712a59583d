"""Checks what an audit log has given out. It needs this one file, Python 3.11 and the package `cryptography`.

    python verifier.py export|receipt|statement FILE --key KEY        FILE may be - for standard input

KEY is the log's public key as the operator publishes it (C2SP: name+hash+base64), or a file that holds it.
Get it from somewhere else than FILE: it is what you trust. The program asks nobody anything. It exits with 0
when all of it holds; with 1 when something does not, and says what; with 2 when it was not asked properly.

export     lines {"index", "leaf", "hash", "detail"?, "salt"?}, the last {"note"}: every entry hashes to what
           is said, every detail is what its entry committed to, all have the root that the log has signed
receipt    {"entry", "proof", "checkpoint"}: the entry, with its detail if it is there, is in the log
statement  {"id", "head", "lines", "record", "checkpoint"}: the entry of every line is in the log, and the log
           has one that commits to head and lines as they are: none is missing, none was changed

hash = SHA-256(0x00 ‖ leaf); a leaf is JSON whose "commitment" is SHA-256(salt ‖ detail); the checkpoint is a
C2SP signed note: origin, size, root of the tree of RFC 9162, section 2.1.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519, MARK = 1, "\u2014 "
LINE_LIMIT, FILE_LIMIT = 4 * 1024 * 1024, 64 * 1024 * 1024  # bytes; more is not read into memory
DETAIL = ("detail", "salt")


class Wrong(Exception):
    """What is wrong, in one sentence."""


class Unusable(Exception):
    """The key or the file cannot be used."""


class Key(NamedTuple):
    """The log's public key. Only what it has signed is believed."""

    name: str
    hash: bytes
    public: Ed25519PublicKey

    @classmethod
    def read(cls, text: str) -> Key:
        """From C2SP's "name+hash+base64". Raises Unusable."""
        found = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", text.strip())
        raw = base64.b64decode(found[3]) if found else b""
        if not found or raw[0] != ED25519:
            raise Unusable("The key is not of the form name+hash+base64 of an Ed25519 key.")
        name, expected = found[1], hashlib.sha256(found[1].encode() + b"\n" + raw).digest()[:4]
        if found[2] != expected.hex():
            raise Unusable("The key's hash does not fit the key: it was not copied whole.")
        return cls(name, expected, Ed25519PublicKey.from_public_bytes(raw[1:]))

    def open(self, note: object) -> Checkpoint:
        """What the log has said under this key, others' signatures passed over. Raises Wrong."""
        body, found, signatures = note.rpartition("\n\n") if isinstance(note, str) else ("", "", "")
        if not found or not signatures.endswith("\n") or "\n\n" in body:
            raise Wrong("the checkpoint is not a signed note")
        text, signed = body + "\n", False
        for line in signatures[:-1].split("\n"):
            name, _, value = line.removeprefix(MARK).partition(" ")
            raw = decode(value if name and line.startswith(MARK) else None)
            if name == self.name and raw[:4] == self.hash:
                try:
                    self.public.verify(raw[4:], text.encode())
                except (InvalidSignature, UnicodeEncodeError):
                    raise Wrong("the checkpoint's signature is not the log's") from None
                signed = True
        if not signed:
            raise Wrong("the checkpoint is not signed with this key")
        origin, size, root = [*text.split("\n"), "", ""][:3]
        if not re.fullmatch("0|[1-9][0-9]{0,18}", size) or len(decode(root)) != 32:
            raise Wrong("the signed text is not a checkpoint")
        if origin != self.name:
            raise Wrong("the checkpoint is of another log")
        return Checkpoint(origin, int(size), decode(root))


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes

    def prove(self, found: dict[str, Any], hashes: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Leaf and detail, if that is there, of an entry that is in the tree. Raises Wrong."""
        leaf = decode(found.get("leaf"))
        self.hold(hashlib.sha256(b"\0" + leaf).digest(), found.get("index"), hashes)
        has = "detail" in found or "salt" in found
        return _object(leaf), check_detail(leaf, found["detail"], found["salt"]) if has else {}

    def hold(self, found: bytes, place: object, hashes: object) -> dict[str, Any]:
        """That a leaf's hash is in the tree at this place (RFC 9162, 2.1.3.2). Raises Wrong."""
        last = self.size - 1
        if type(place) is not int or not 0 <= place <= last or not isinstance(hashes, list):
            raise Wrong("the proof is not one of this checkpoint")
        for one in map(decode, hashes):
            if last == 0 or len(one) != 32:
                raise Wrong("the proof is not one of this checkpoint")
            left = place & 1 or place == last
            found = _node(one, found) if left else _node(found, one)
            while left and not place & 1 and place:
                place, last = place >> 1, last >> 1
            place, last = place >> 1, last >> 1
        if last or found != self.root:
            raise Wrong("the proof does not lead to the root that the log has signed")
        return {}


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Checked(NamedTuple):
    checkpoint: Checkpoint
    entries: int
    details: int  # of how many entries the content was checked, too


def verify_export(lines: Iterable[bytes], key: Key) -> Checked:
    """Check a whole export, line by line. Raises Wrong, which names the first entry that is wrong."""
    peaks, size, details, note = list[bytes](), 0, 0, None
    for line in lines:
        if note is not None:
            raise Wrong("something follows the checkpoint")
        try:
            text = line.removesuffix(b"\n")
            found = _object(text if len(line) <= LINE_LIMIT and text == text.strip() else b"")
            if found.keys() == {"note"}:
                note = found["note"]
                continue
            index, leaf, hashed = _fields(found, "index", "leaf", "hash", optional=DETAIL)
            if repr(index) != str(size):
                raise Wrong("the entry with this index is not here")
            raw, hashed = decode(leaf), decode(hashed)
            if hashlib.sha256(b"\0" + raw).digest() != hashed:
                raise Wrong("the hash is not that of the leaf")
            if "detail" in found:
                check_detail(raw, found["detail"], found["salt"])
        except Wrong as problem:
            raise Wrong(f"index {size}: {problem}") from None
        rest, size, details = size, size + 1, details + ("detail" in found)
        while rest & 1:
            hashed, rest = _node(peaks.pop(), hashed), rest >> 1
        peaks.append(hashed)
    if not isinstance(note, str):
        raise Wrong(f"the export ends after {size} entries without a checkpoint")
    checkpoint = key.open(note)
    if checkpoint.size != size:
        raise Wrong(f"root: the log signed {checkpoint.size} entries, the export has {size}")
    peaks = peaks or [hashlib.sha256(b"").digest()]
    if checkpoint.root != reduce(lambda right, left: _node(left, right), reversed(peaks)):
        raise Wrong("root: the entries do not have the root that the log has signed")
    return Checked(checkpoint, size, details)


def check_detail(leaf: bytes, detail: object, salt: object) -> dict[str, Any]:
    """The detail, which is what the leaf commits to. Raises Wrong."""
    text = str(detail).encode("utf-8", "surrogatepass")
    if decode(_object(leaf).get("commitment")) != hashlib.sha256(decode(salt) + text).digest():
        raise Wrong("the detail is not what the leaf commits to")
    return _object(text)


def verify_receipt(body: bytes, key: Key) -> Checked:
    """Check one entry with its proof. Raises Wrong."""
    entry, proof, signed = _fields(_object(body), "entry", "proof", "checkpoint")
    origin, size, root, note = _fields(signed, "origin", "size", "root_hash", "note")
    checkpoint = key.open(note)
    if repr((origin, size, decode(root))) != repr((*checkpoint,)):
        raise Wrong("the checkpoint is not what was signed")
    index, of, leaf, hashes = _fields(proof, "index", "size", "leaf", "hashes")
    id_, place = _fields(entry, "id", "index", optional=DETAIL)
    said, detail = checkpoint.prove({**entry, "index": index, "leaf": leaf}, hashes)
    if repr([id_, place, of]) != repr([said["id"], index, size]):
        raise Wrong("the proof is of another entry or another tree")
    return Checked(checkpoint, 1, bool(detail))


def verify_statement(body: bytes, key: Key) -> Checked:
    """Check every line of a statement, and that the log committed to all of them. Raises Wrong."""
    id_, head, lines, record, note = _fields(_object(body), "id", "head", "lines", "record", "checkpoint")
    checkpoint = key.open(note)
    _fields(record, "index", "leaf", "detail", "salt", "hashes")
    detail = checkpoint.prove(record, record["hashes"])[1]
    pairs = [_fields(one, "text", "hashes", optional=DETAIL) for one in lines]
    texts = [str(text).encode("utf-8", "surrogatepass") for text in (head, *(pair[0] for pair in pairs))]
    digest = hashlib.sha256(b"".join(text + b"\n" for text in texts)).hexdigest()
    named = {(one["type"], one["id"]) for one in detail["objects"]}
    if detail["action"] != "statement.issue" or not {("statement", id_), ("digest", digest)} <= named:
        raise Wrong("the log has not committed to this statement: a line is missing, new or changed")
    told, seen, details = _object(texts[0]), set(), 0
    if [told["id"], told["lines"]] != [id_, len(pairs)]:
        raise Wrong("the head is not that of these lines")
    for number, (text, one) in enumerate(zip(texts[1:], lines, strict=True), 1):
        line, hashes = {**_object(text), **{name: one[name] for name in DETAIL if name in one}}, one["hashes"]
        try:
            if line["n"] != number or line["index"] in seen:
                raise Wrong("it has another number, or its entry was there before")
            if "withheld" in line:
                detail = checkpoint.hold(decode(line["hash"]), line["index"], hashes)
            else:
                leaf, detail = checkpoint.prove(line, hashes)
                said, true = [line["id"], line["at"]], [leaf["id"], leaf["at"]]
                if detail:
                    said += [line["action"], line["actor"]["id"], line["agency"]["id"]]
                    true += [detail["action"], detail["actor"]["id"], detail["actor"]["agency_id"]]
                if said != true:
                    raise Wrong("it says something else than its entry")
        except Wrong as problem:
            raise Wrong(f"line {number}: {problem}") from None
        seen.add(line["index"])
        details += bool(detail)
    return Checked(checkpoint, len(pairs), details)


def _fields(found: object, *names: str, optional: Iterable[str] = ()) -> list[Any]:
    if not isinstance(found, dict) or found.keys() not in ({*names}, {*names, *optional}):
        raise Wrong("it does not have the fields that it should have")
    return [found[name] for name in names]


def decode(text: object) -> bytes:
    """Base64 in its one form. Raises Wrong."""
    try:
        raw = base64.b64decode(str(text), validate=True)
    except ValueError:
        raw = b""
    if base64.b64encode(raw).decode() != text:
        raise Wrong("not base64")
    return raw


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=int, parse_float=int)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Wrong("the line cannot be read")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name that stands twice would be read in two ways")
    return dict(pairs)


def verify(what: str, file: BinaryIO, key: Key) -> Checked:
    """Check what is in `file`. Raises Wrong."""
    if what == "export":  # never more of a line than is looked at
        return verify_export(iter(lambda: file.readline(LINE_LIMIT + 1), b""), key)
    try:
        body = file.read(FILE_LIMIT + 1)
        return (verify_receipt if what == "receipt" else verify_statement)(body[:FILE_LIMIT], key)
    except (AttributeError, KeyError, TypeError):
        raise Wrong("it does not have the fields that it should have") from None


def run(file: str, key: str, what: str = "export") -> str:
    """Verify `file`; the good news in one line. Raises Wrong or Unusable."""
    try:
        known = Key.read(Path(key).read_text("utf-8") if "+" not in key else key)
        with open(sys.stdin.fileno() if file == "-" else file, "rb") as opened:
            checkpoint, entries, details = verify(what, opened, known)
    except (OSError, UnicodeDecodeError) as problem:
        raise Unusable(f"A file cannot be read ({type(problem).__name__}).") from None
    root = base64.b64encode(checkpoint.root).decode()
    return f"verified: {entries} entries, {details} with detail; root {root} signed by {known.name}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verifier", description="Check what an audit log has given out.")
    parser.add_argument("what", choices=["export", "receipt", "statement"])
    parser.add_argument("file")
    parser.add_argument("--key", required=True)
    given = parser.parse_args(arguments)
    try:
        print(run(given.file, given.key, given.what))
    except (Wrong, Unusable) as problem:
        print(f"NOT verified: {problem}" if isinstance(problem, Wrong) else problem, file=sys.stderr)
        return 1 if isinstance(problem, Wrong) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
