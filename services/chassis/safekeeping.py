"""What a service must be able to read again but keeps sealed at rest: other people's shared secrets.

    kid, sealed = safe.seal(b"...")      safe.open(kid, sealed)      safe.kid: what is sealed with now

The key is derived from the service's own key pair. A rotation starts a new one, and the old one ends an
overlap later: before that, what has another `kid` MUST be opened and sealed anew.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nameko.extensions import DependencyProvider

from services.chassis.bus import Bus
from services.chassis.sealing import Keyring

PURPOSE = "concordat at rest 1"
_NONCE = 12


class Safe:
    """Seals for itself, with AES-256-GCM under a random nonce."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def kid(self) -> str:
        return _kid(self._secrets()[0])

    def seal(self, plain: bytes) -> tuple[str, bytes]:
        """The kid of the key, and what is to be stored."""
        secret, nonce = self._secrets()[0], os.urandom(_NONCE)
        return _kid(secret), nonce + AESGCM(secret).encrypt(nonce, plain, PURPOSE.encode())

    def open(self, kid: str, sealed: bytes) -> bytes:
        """Raises LookupError: the key has ended, or it was not sealed here."""
        for secret in self._secrets():
            if _kid(secret) == kid:
                try:
                    return AESGCM(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], PURPOSE.encode())
                except InvalidTag:
                    raise LookupError("not sealed here") from None
        raise LookupError("a key past its time")

    def _secrets(self) -> list[bytes]:
        found = self._keyring.shared_secrets(self._keyring.name, PURPOSE)
        if not found:
            raise LookupError("no key")
        return found


class Safekeeping(DependencyProvider):  # type: ignore[misc]
    """Gives a service its `Safe`."""

    bus = Bus()

    def setup(self) -> None:
        self._safe = Safe(self.bus.keyring)

    def get_dependency(self, worker_ctx: object) -> Safe:
        return self._safe


def _kid(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()[:8]
