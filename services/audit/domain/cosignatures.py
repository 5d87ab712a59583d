"""What a witness signs: that it has seen this checkpoint, at this time, and no other history before it.

C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature), Ed25519: the signature is over
`cosignature/v1\\ntime T\\n` and the checkpoint; its line holds 8 bytes of time before the signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.audit.domain.notes import MARK, NAME, BadNote

COSIGNATURE = 4
_TIME, _SIGNATURE, _LATEST = 8, 64, 2**37


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One line of a note, and when its witness says that it signed."""

    line: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's public key under its name."""

    name: str
    key: bytes

    @classmethod
    def read(cls, text: str) -> WitnessKey:
        """From C2SP's "name+hash+base64". Raises BadNote."""
        name, _, rest = text.strip().partition("+")
        digest, _, value = rest.partition("+")
        raw = _decoded(value)
        if not NAME.fullmatch(name) or len(raw) != 33 or raw[0] != COSIGNATURE:
            raise BadNote("not a witness's key")
        key = cls(name, raw[1:])
        if key.hash.hex() != digest:
            raise BadNote("the key was not copied whole")
        return key

    @property
    def hash(self) -> bytes:
        raw = bytes((COSIGNATURE,)) + self.key
        return hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]

    def find(self, note: str) -> Cosignature:
        """This witness's own line in a note. Raises BadNote."""
        text, found, signatures = note.rpartition("\n\n")
        if not found or not signatures.endswith("\n"):
            raise BadNote("no signatures")
        for line in signatures[:-1].split("\n"):
            name, _, value = line.removeprefix(MARK).partition(" ")
            if not line.startswith(MARK) or name != self.name:
                continue
            raw = _decoded(value)
            if raw[:4] == self.hash and len(raw) == 4 + _TIME + _SIGNATURE:
                return Cosignature(line, self._check(text + "\n", raw[4:]))
        raise BadNote("not cosigned with this key")

    def _check(self, text: str, raw: bytes) -> datetime:
        seconds = int.from_bytes(raw[:_TIME], "big")
        if seconds >= _LATEST:
            raise BadNote("time")
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(raw[_TIME:], message(text, seconds))
        except InvalidSignature:
            raise BadNote("signature") from None
        return datetime.fromtimestamp(seconds, UTC)


def message(text: str, seconds: int) -> bytes:
    """What is signed of a checkpoint's text."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _decoded(value: str) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("not base64") from None
    if base64.b64encode(raw).decode() != value:
        raise BadNote("not base64")
    return raw
