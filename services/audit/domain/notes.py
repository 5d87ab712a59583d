"""Signed notes and checkpoints, as other people's tools read them.

C2SP signed-note (https://c2sp.org/signed-note): a text, an empty line, and for each signature
`— name base64(key hash ‖ signature)`. C2SP tlog-checkpoint: the text is origin, size, root hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.domain.merkle import HASH_SIZE

ED25519 = 1
MARK = "\u2014 "
NAME = re.compile(r"[^\s+\x00-\x1f]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """The text is not a note, or not one signed with the key."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under its name. `str()` is C2SP's verifier key."""

    name: str
    key: bytes

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError("a key's name has no spaces and no plus sign")

    @classmethod
    def read(cls, text: str) -> Verifier:
        """From C2SP's "name+hash+base64". Raises BadNote."""
        name, _, rest = text.strip().partition("+")
        raw = _decoded(rest.partition("+")[2])
        if (
            not NAME.fullmatch(name)
            or len(raw) != 33
            or raw[0] != ED25519
            or str(cls(name, raw[1:])) != text.strip()
        ):
            raise BadNote("not a key of a log")
        return cls(name, raw[1:])

    @property
    def hash(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes((ED25519,)) + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{_text(bytes((ED25519,)) + self.key)}"

    def open(self, note: str) -> str:
        """The text of a note that this key has signed. Raises BadNote."""
        text, found, signatures = note.rpartition("\n\n")
        if not found or not signatures.endswith("\n"):
            raise BadNote("no signatures")
        for line in signatures[:-1].split("\n"):
            if (signature := self._own(line)) is not None:
                try:
                    Ed25519PublicKey.from_public_bytes(self.key).verify(signature, (text + "\n").encode())
                except InvalidSignature:
                    raise BadNote("signature") from None
                return text + "\n"
        raise BadNote("not signed with this key")

    def _own(self, line: str) -> bytes | None:
        name, _, value = line.removeprefix(MARK).partition(" ")
        try:
            raw = _decoded(value)
        except BadNote:
            return None
        return raw[4:] if line.startswith(MARK) and (name, raw[:4]) == (self.name, self.hash) else None


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under its name; during an overlap older ones sign as well."""

    name: str
    key: Ed25519PrivateKey
    older: tuple[Ed25519PrivateKey, ...] = ()

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note of `text`, which MUST end with a line feed. The same text gives the same note."""
        if not text.endswith("\n") or "\n\n" in text:
            raise ValueError("not the text of a note")
        lines = (self._line(key, text) for key in (self.key, *self.older))
        return f"{text}\n{''.join(lines)}"

    def _line(self, key: Ed25519PrivateKey, text: str) -> str:
        verifier = Verifier(self.name, key.public_key().public_bytes_raw())
        return f"{MARK}{self.name} {_text(verifier.hash + key.sign(text.encode()))}\n"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a checkpoint says: the log `origin` has `size` entries and this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n"

    @classmethod
    def read(cls, text: str) -> Statement:
        """Raises BadNote. Further lines are allowed and passed over, as C2SP has it."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise BadNote("not a checkpoint")
        root = _decoded(lines[2])
        if len(root) != HASH_SIZE:
            raise BadNote("root hash")
        return cls(lines[0], int(lines[1]), root)


def _decoded(text: str) -> bytes:
    """Base64 in its one form: unused bits that say nothing would be a second one. Raises BadNote."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("not base64") from None
    if _text(raw) != text:
        raise BadNote("not base64")
    return raw


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
