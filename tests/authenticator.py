"""An authenticator in software: what a browser and a security key do together, and whatever else one might
make them do. It keeps no secrets and verifies nobody."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import encode_cbor

from services.contracts.sharing.passkeys import Assertion, Attestation
from services.sharing.domain.passkeys import write

ORIGIN = "http://localhost:8000"
RP_ID = "localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One key. `count` None: it has no counter, and says 0."""

    count: int | None = 0
    rp_id: str = RP_ID
    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED
    more: dict[str, Any] = field(default_factory=dict)
    """Of the client data, over what a browser would say."""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, asked: Any, name: str = "Key", **statement: Any) -> Attestation:
        """What answers an enrolment's question. `statement`: fmt and attStmt, over `none`."""
        data = self._data(self.flags | ATTESTED)
        data += bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id
        data += encode_cbor(self.cose())
        made = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data, **statement})
        return Attestation(
            challenge_id=asked["id"],
            name=name,
            credential_id=write(self.credential_id),
            client_data=write(self._client_data("webauthn.create", asked["challenge"])),
            attestation=write(made),
        )

    def get(self, asked: Any) -> Assertion:
        """What answers the question to a passkey."""
        if self.count is not None:
            self.count += 1
        data, client_data = self._data(self.flags), self._client_data("webauthn.get", asked["challenge"])
        signed = data + hashlib.sha256(client_data).digest()
        return Assertion(
            challenge_id=asked["id"],
            credential_id=write(self.credential_id),
            client_data=write(client_data),
            authenticator_data=write(data),
            signature=write(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        )

    def cose(self) -> dict[int, Any]:
        """The public key (RFC 9053, section 7.1.1)."""
        numbers = self.key.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        return {1: 2, 3: -7, -1: 1, -2: x, -3: y}

    def _data(self, flags: int) -> bytes:
        return (
            hashlib.sha256(self.rp_id.encode()).digest()
            + flags.to_bytes(1, "big")
            + (self.count or 0).to_bytes(4, "big")
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **self.more}).encode()
