"""A witness's own key, and its signature under a checkpoint (C2SP tlog-cosignature)."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.witness.notes import MARK, Unusable

COSIGNATURE = 4
_FILE = "key"


@dataclass(frozen=True)
class WitnessKey:
    """`name` is a text without blanks and plus signs, such as witness.police.example/w1."""

    name: str
    private: Ed25519PrivateKey

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self._public()).digest()[:4]

    def __str__(self) -> str:
        """What others check its cosignatures with."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(self._public()).decode()}"

    def line(self, text: str, seconds: int) -> str:
        """The cosignature of a checkpoint's text, a line of its note."""
        signed = self.private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        raw = self.hash + seconds.to_bytes(8, "big") + signed
        return f"{MARK}{self.name} {base64.b64encode(raw).decode()}\n"

    def _public(self) -> bytes:
        return bytes((COSIGNATURE,)) + self.private.public_key().public_bytes_raw()


def own_key(folder: Path, name: str) -> WitnessKey:
    """The key in the witness's folder, made at first use. Raises Unusable."""
    if not name or "+" in name or len(name) > 200 or any(char.isspace() or ord(char) < 33 for char in name):
        raise Unusable("A witness's name has no blanks and no plus sign.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / _FILE
    if not file.exists():
        made = Ed25519PrivateKey.generate().private_bytes_raw()
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(f"{name}\n{base64.b64encode(made).decode()}\n")
    try:
        kept, value = file.read_text("utf-8").splitlines()
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(value, validate=True))
    except ValueError:
        raise Unusable(f"{file} holds no key.") from None
    if kept != name:
        raise Unusable(f"{file} is the key of {kept}; a witness keeps its name.")
    return WitnessKey(name, private)
