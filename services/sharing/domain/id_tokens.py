"""Whether an ID token is to be believed (OpenID Connect Core 1.0, section 3.1.3.7). Pure: keys and clock are
given.

The signature comes first, by the provider's own public keys and the algorithms that are allowed here,
whatever the token says of itself: none, and everything that is made with a shared secret, are not among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from services.sharing.domain.sign_ins import NotBelieved

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures with a public key alone. A provider's own list never adds one."""
LEEWAY = 60
"""Seconds by which clocks may differ."""
OLDEST = 600
"""Seconds since a token was issued: it was fetched just now, by us."""
_LONGEST = 32 * 1024
_KINDS: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class UnknownKey(NotBelieved):
    """Signed with a key that is not among those at hand: the provider may have a new one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token has to say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


def keys_of(published: object) -> KeySet:
    """The public keys for signatures in a JWKS document; what is of another kind is left out, above all
    shared secrets (`oct`). Raises NotBelieved."""
    given = published.get("keys") if isinstance(published, Mapping) else None
    if not isinstance(given, list):
        raise NotBelieved("key_set")
    found: list[Any] = []
    for one in given[:100]:
        kind = _KINDS.get(str(one.get("kty"))) if isinstance(one, Mapping) else None
        if kind is None or one.get("use", "sig") != "sig":
            continue
        try:
            found.append(kind.import_key(dict(one)))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(found)


def verify(token: object, keys: KeySet, expected: Expected, now: datetime) -> dict[str, Any]:
    """The claims of a token that is to be believed. Raises NotBelieved, UnknownKey."""
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise NotBelieved("token_form")
    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    try:
        decoded = jwt.decode(token, keys, registry=registry)
    except InvalidKeyIdError:
        raise UnknownKey("unknown_key") from None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotBelieved("signature") from None
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
        },
        params={
            "nonce": expected.nonce,
            "client_id": expected.client_id,
            "access_token": expected.access_token,
        },
    )
    seconds = int(now.timestamp())
    try:
        claims.validate(now=seconds, leeway=LEEWAY)
    except (JoseError, ValueError, TypeError) as problem:
        raise NotBelieved(_reason(problem)) from None
    issued = claims["iat"]
    if not seconds - OLDEST - LEEWAY <= issued <= seconds + LEEWAY:
        raise NotBelieved("claim_iat")
    return dict(claims)


def _reason(problem: Exception) -> str:
    """Which claim, if the library says so; never a value."""
    claim = getattr(problem, "claim", None)
    return f"claim_{claim}" if claim in CodeIDToken.REGISTERED_CLAIMS else "claims"
