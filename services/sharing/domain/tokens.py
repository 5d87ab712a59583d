"""Secrets that are handed out once and kept hashed: session and activation tokens, client secrets.

A token is `<kind><principal id>.<random>`, so that whoever presents it can be found by id. 256 random bits
need no slow hash.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Literal

Kind = Literal["u", "c", "a", "p"]
"""A user's session, a client's session, an activation; a provisioning system's own secret, which it sends
with every request, for it cannot log in."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    principal_id: str
    secret: str

    @property
    def hash(self) -> str:
        return hashed(self.secret)

    @property
    def text(self) -> str:
        return f"{self.kind}{self.principal_id}.{self.secret}"


def make(kind: Kind, principal_id: str) -> Token:
    return Token(kind, principal_id, secrets.token_urlsafe(32))


def session_secret(about: str, attempt: str) -> str:
    """Of the session that this attempt makes: the same however often it is delivered, so that whichever
    answer arrives, its token is good. `attempt` has 128 random bits or more that the gateway alone has; it is
    kept only hashed, or `about` is itself a secret that is."""
    made = hmac.digest(attempt.encode(), f"concordat session|{about}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def session_id(about: str, attempt: str) -> str:
    """Of that session, in the shape of every other id: so each entry that a log-in leaves, of however many
    deliveries, names the one session that there is. It says nothing of the token."""
    made = hmac.digest(attempt.encode(), f"concordat session id|{about}".encode(), "sha256")
    return str(uuid.UUID(bytes=made[:16]))


def read(text: str | None) -> Token | None:
    """None for what is no token. That it is somebody's is for the stored hash to say."""
    head, dot, secret = (text or "").partition(".")
    if not dot or not secret or head[:1] not in ("u", "c", "a", "p") or not 1 < len(head) <= 65:
        return None
    return Token(head[0], head[1:], secret)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored: str) -> bool:
    return hmac.compare_digest(hashed(secret), stored)
