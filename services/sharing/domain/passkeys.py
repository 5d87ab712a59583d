"""Passkeys (WebAuthn Level 3): what is remembered of one, and whether an answer of its holder proves
anything. Pure: the challenge and the key are given.

An answer counts for one challenge, at our own address, and only where the authenticator has verified its user
(by finger, face or PIN): a passkey that somebody picks up opens nothing. What an authenticator says of its
own make (attestation) is thrown away unread: we ask for none, and would trust none.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    parse_cbor,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from services.contracts.sharing.passkeys import Assertion, Attestation

MOST_EACH = 10
"""Passkeys that one person has: so many stand in the principal document."""
LASTS = timedelta(minutes=5)
"""From the question to its answer: WebAuthn, section 15.1, has 5 to 10 minutes for what people do by hand."""
CHALLENGE_BYTES = 32
ALGORITHMS = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""What WebAuthn, section 5.4, asks every site to take, in the order in which we would have them."""
_LONGEST_ID = 1023
"""Bytes of a credential's id (WebAuthn, section 4)."""
_LONGEST_KEY = 600
"""Bytes of a public key: RSA of 4096 bits. A longer one would only cost us."""
Purpose = Literal["enrol", "log_in", "sign_in", "step_up"]


class NotProved(Exception):
    """The answer proves nothing. The reason is for the log: a word of ours, never theirs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CountBack(NotProved):
    """The signature is right and the counter has not gone on: two have this key, or one was copied."""

    def __init__(self) -> None:
        super().__init__("sign_count_back")


@dataclass(frozen=True, slots=True)
class Passkey:
    """`credential_id` as browsers write it, base64url. `last_request`: under which attempt it was used last,
    for what is delivered twice."""

    id: str
    credential_id: str
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    last_used_at: datetime | None = None
    last_request: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """One question. `bound_to`: the session in which it is asked, or the sign-in; empty at log-in, which has
    neither. Whoever answers it names it by its id."""

    id: str
    challenge: bytes
    purpose: Purpose
    user_id: str
    bound_to: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Site:
    """What passkeys are made for: `rp_id` is the domain, `origins` are the addresses of our own pages. No
    origins: this machine alone, at any port."""

    rp_id: str
    origins: tuple[str, ...] = ()

    def has(self, origin: str) -> bool:
        if self.origins:
            return origin in self.origins
        return within(self.rp_id, origin) and urlsplit(origin).hostname == self.rp_id


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What an authenticator has made for us."""

    credential_id: str
    public_key: bytes
    sign_count: int


def enrolment(given: Attestation, challenge: bytes, site: Site) -> Enrolled:
    """What is to be kept of a new passkey. Raises NotProved."""
    client_data = read(given.client_data)
    origin = _own_origin(client_data, site)
    try:
        made = parse_cbor(read(given.attestation))["authData"]
        bare = encode_cbor({"fmt": "none", "attStmt": {}, "authData": made})
        raw_id = read(given.credential_id)
        verified = verify_registration_response(
            credential=RegistrationCredential(
                id=given.credential_id,
                raw_id=raw_id,
                response=AuthenticatorAttestationResponse(client_data, bare),
            ),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        key = verified.credential_public_key
        # That it is a key at all is found out now, not at the first log-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(key))
    except Exception as problem:  # whatever a parser of theirs makes of what anybody may send
        raise NotProved("enrolment") from problem
    if verified.credential_id != raw_id or len(raw_id) > _LONGEST_ID or len(key) > _LONGEST_KEY:
        raise NotProved("enrolment")
    return Enrolled(given.credential_id, key, verified.sign_count)


def assertion(given: Assertion, passkey: Passkey, challenge: bytes, site: Site) -> int:
    """The counter that the authenticator has now. Raises NotProved."""
    client_data = read(given.client_data)
    origin = _own_origin(client_data, site)
    try:
        verified = verify_authentication_response(
            credential=AuthenticationCredential(
                id=given.credential_id,
                raw_id=read(given.credential_id),
                response=AuthenticatorAssertionResponse(
                    client_data, read(given.authenticator_data), read(given.signature)
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # judged by `went_back`, which has a name of its own in the log
            require_user_verification=True,
        )
    except Exception as problem:
        raise NotProved("assertion") from problem
    return verified.new_sign_count


def went_back(stored: int, said: int) -> bool:
    """WebAuthn, section 7.2, step 22. An authenticator without a counter always says 0: those that are kept
    in step between a person's devices do."""
    return (stored, said) != (0, 0) and said <= stored


def within(rp_id: str, origin: str) -> bool:
    """Whether browsers let a page at `origin` make passkeys for `rp_id`: it is that host, or one below it;
    over https, but for this machine."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    safe = parts.scheme == "https" or (parts.scheme == "http" and host == "localhost")
    return safe and origin == plain and (host == rp_id or host.endswith(f".{rp_id}"))


def of_credential(passkeys: Collection[Passkey], credential_id: str) -> Passkey:
    """The user's own, no matter whose else it could be. Raises NotProved."""
    found = next((one for one in passkeys if one.credential_id == credential_id), None)
    if found is None:
        raise NotProved("not_theirs")
    return found


def read(text: str) -> bytes:
    """Base64url without padding. Raises NotProved for what nobody writes so: one thing has one spelling."""
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise NotProved("encoding") from None
    if write(found) != text:
        raise NotProved("encoding")
    return found


def write(found: bytes) -> str:
    return urlsafe_b64encode(found).rstrip(b"=").decode()


def _own_origin(client_data: bytes, site: Site) -> str:
    """Where the browser says that it was asked: a page of ours, and none inside another site's. Raises
    NotProved."""
    try:
        said = json.loads(client_data)
    except (ValueError, RecursionError):
        raise NotProved("client_data") from None
    origin = said.get("origin") if isinstance(said, dict) else None
    if not isinstance(origin, str):
        raise NotProved("client_data")
    if said.get("crossOrigin", False) is not False or "topOrigin" in said:
        raise NotProved("framed")
    if not site.has(origin):
        raise NotProved("origin")
    return origin
