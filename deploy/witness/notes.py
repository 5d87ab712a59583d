"""Checkpoints as the log signs them (C2SP signed-note, tlog-checkpoint), read strictly.

`deploy/verifier.py` reads them too; it is one file that stands alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1
MARK = "\u2014 "
NOTE_LIMIT = 64 * 1024
_NAME = re.compile(r"[^\s+\x00-\x20\x7f]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


class Wrong(Exception):
    """What is wrong with what the log showed, in one sentence."""


class Unusable(Exception):
    """A key, a file or a name cannot be used."""


@dataclass(frozen=True)
class Checkpoint:
    """What the log has signed."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class LogKey:
    """The log's public key. Only what it has signed is believed."""

    name: str
    hash: bytes
    public: Ed25519PublicKey

    @classmethod
    def read(cls, text: str) -> LogKey:
        """From C2SP's "name+hash+base64". Raises Unusable."""
        name, _, rest = text.strip().partition("+")
        digest, _, value = rest.partition("+")
        try:
            raw = decode(value)
        except Wrong:
            raw = b""
        if not _NAME.fullmatch(name) or len(raw) != 33 or raw[0] != ED25519:
            raise Unusable("The key is not of the form name+hash+base64 of an Ed25519 key.")
        found = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if digest != found.hex():
            raise Unusable("The key's hash does not fit the key: it was not copied whole.")
        return cls(name, found, Ed25519PublicKey.from_public_bytes(raw[1:]))

    def open(self, note: str) -> Checkpoint:
        """What this key has signed in a note, others' signatures passed over. Raises Wrong."""
        if len(note) > NOTE_LIMIT or _CONTROL.search(note):
            raise Wrong("the checkpoint is not a signed note")
        body, found, signatures = note.rpartition("\n\n")
        if not found or not signatures.endswith("\n"):
            raise Wrong("the checkpoint is not a signed note")
        text, own = f"{body}\n", []
        for line in signatures[:-1].split("\n"):
            name, _, value = line.removeprefix(MARK).partition(" ")
            if not line.startswith(MARK) or not _NAME.fullmatch(name) or len(raw := decode(value)) < 5:
                raise Wrong("the checkpoint is not a signed note")
            if (name, raw[:4]) == (self.name, self.hash):
                own.append(raw[4:])
        if not own:
            raise Wrong("the checkpoint is not signed with this key")
        for signature in own:
            try:
                self.public.verify(signature, text.encode())
            except InvalidSignature:
                raise Wrong("the checkpoint's signature is not the log's") from None
        return _checkpoint(text, self.name)


def _checkpoint(text: str, origin: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or any(not line for line in lines[:-1]) or not _SIZE.fullmatch(lines[1]):
        raise Wrong("the signed text is not a checkpoint")
    root = decode(lines[2])
    if len(root) != 32:
        raise Wrong("the signed text is not a checkpoint")
    if lines[0] != origin:
        raise Wrong("the checkpoint is of another log")
    return Checkpoint(lines[0], int(lines[1]), root)


def decode(text: object) -> bytes:
    """Base64 in its one form. Raises Wrong."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None or base64.b64encode(raw).decode() != text:
        raise Wrong("not base64")
    return raw
