"""Details as they are stored: each encrypted with a key of its own, which is kept elsewhere, wrapped.

    sealed   AES-256-GCM(data key, nonce 0, salt ‖ detail), bound to the entry's index; a key is used once
    wrapped  nonce ‖ AES-256-GCM(wrapping key, nonce, data key), bound to the entry's index

Destroying a data key destroys detail and salt wherever a copy of them is, and leaves every proof valid:
leaves commit to both, and are kept apart. Another wrapping key means wrapping data keys anew, not details.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.domain.leaves import SALT_SIZE, Leaf

KEY_SIZE, NONCE_SIZE = 32, 12
_ONCE = bytes(NONCE_SIZE)


class Unopened(Exception):
    """It was altered, or is another entry's, or its wrapping key is not here."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key, wrapped with the key `kid`."""

    kid: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored of a detail, and of its key."""

    detail: bytes
    key: Wrapped


class Vault:
    """Seals and opens. `wrapping`: AES-256 keys by kid; new data keys are wrapped with `current`."""

    def __init__(self, wrapping: Mapping[str, bytes], current: str) -> None:
        self._wrapping = {kid: AESGCM(key) for kid, key in wrapping.items()}
        self.current = current

    def seal(self, index: int, leaf: Leaf) -> Sealed:
        key, bound = os.urandom(KEY_SIZE), str(index).encode()
        detail = AESGCM(key).encrypt(_ONCE, leaf.salt + leaf.detail.encode(), bound)
        return Sealed(detail, self._wrap(key, bound))

    def open(self, index: int, sealed: Sealed) -> tuple[str, bytes]:
        """Detail and salt. Raises Unopened."""
        bound = str(index).encode()
        key = self._unwrap(sealed.key, bound)
        try:
            found = AESGCM(key).decrypt(_ONCE, sealed.detail, bound)
            return found[SALT_SIZE:].decode(), found[:SALT_SIZE]
        except (InvalidTag, UnicodeDecodeError):
            raise Unopened("detail") from None

    def rewrap(self, index: int, wrapped: Wrapped) -> Wrapped:
        """The same data key under the current wrapping key. Raises Unopened."""
        bound = str(index).encode()
        return self._wrap(self._unwrap(wrapped, bound), bound)

    def _wrap(self, key: bytes, bound: bytes) -> Wrapped:
        nonce = os.urandom(NONCE_SIZE)
        return Wrapped(self.current, nonce + self._wrapping[self.current].encrypt(nonce, key, bound))

    def _unwrap(self, wrapped: Wrapped, bound: bytes) -> bytes:
        try:
            cipher = self._wrapping[wrapped.kid]
            return cipher.decrypt(wrapped.key[:NONCE_SIZE], wrapped.key[NONCE_SIZE:], bound)
        except (KeyError, InvalidTag, ValueError):
            raise Unopened("key") from None
