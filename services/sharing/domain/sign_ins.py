"""Signing in by an agency's own identity provider: what is remembered in between, what is believed. Pure.

begun ──the code comes back──▶ busy ──vouched for──▶ over (a session)
                                │ └──its authenticator is asked for──▶ awaiting_code ──a code──▶ busy
                                └──anything wrong──▶ failed
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from services.contracts.sharing.identity_providers import Claim, Passwords
from services.sharing.domain.people import User, reaches_beyond

LASTS = timedelta(minutes=10)
"""From the browser's leaving to its coming back, the code of an authenticator included."""
SCOPE = "openid email profile"
_LONGEST_SUBJECT = 255
"""OpenID Connect Core, section 2: `sub` MUST NOT exceed 255 ASCII characters."""
Stage = Literal["begun", "busy", "awaiting_code", "over", "failed"]


class NotBelieved(Exception):
    """What the provider said, or what was said in its name, is not to be believed. The reason is for the log:
    a word of ours, never theirs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Provider:
    """An agency's, as its administrators set it. `secret` is sealed with the key `kid`."""

    agency_id: str
    alias: str
    issuer: str
    client_id: str
    secret: bytes
    kid: str
    claim: Claim
    second_factors: tuple[str, ...]
    version: int
    updated_at: datetime
    passwords: Passwords = "refused"

    def refuses_password(self, user: User, today: date) -> bool:
        """Not an administrator's: with the provider out of order nobody could say that passwords are allowed.
        Nor of those whom it never signs in."""
        if self.passwords == "allowed" or reaches_beyond(user.roles):
            return False
        return "agency_admin" not in user.roles_on(today)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser's, on its way. `id` and `binding` are hashes of what the browser holds."""

    id: str
    binding: str
    agency_id: str
    provider_version: int
    nonce: str
    verifier: str
    redirect_uri: str
    attempt: str
    """Under which it is counted against its address, until it succeeds."""
    begun_at: datetime
    stage: Stage = "begun"
    user_id: str | None = None
    session_id: str | None = None
    strong: bool = False
    subject: str | None = None
    """Whom the provider has vouched for, while a code is asked for."""
    first: bool = False
    """Nobody has signed in as this subject yet: the user is tied to it once all has been shown."""


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a verified ID token says. `value` None: it says nothing by which an account could be found."""

    subject: str
    value: str | None
    strong: bool


def random_text() -> str:
    """256 bits."""
    return secrets.token_urlsafe(32)


def hashed(text: str) -> str:
    return hashlib.sha256(f"concordat sign-in|{text}".encode()).hexdigest()


def asserted(claims: Mapping[str, Any], claim: Claim, second_factors: Collection[str]) -> Asserted:
    """Of claims that were verified. Raises NotBelieved."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise NotBelieved("subject")
    return Asserted(subject, _value(claims, claim), _is_strong(claims, second_factors))


def _value(claims: Mapping[str, Any], claim: Claim) -> str | None:
    """An address that nobody has verified is what anybody typed (OpenID Connect Core, 5.1)."""
    value = claims.get(claim)
    if not isinstance(value, str) or not 0 < len(value) <= 320:
        return None
    if claim == "email" and claims.get("email_verified") is not True:
        return None
    return value


def _is_strong(claims: Mapping[str, Any], second_factors: Collection[str]) -> bool:
    methods = claims.get("amr")
    said = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set[str]()
    level = claims.get("acr")
    if isinstance(level, str):
        said.add(level)
    return not said.isdisjoint(second_factors)


def is_same(ours: str, theirs: str) -> bool:
    """Whether two addresses are one: in any case of ASCII letters, and else letter by letter. A database's
    idea of what is alike takes a full-width letter for a plain one, and what cannot be seen for nothing."""
    plain = ours.isascii() and theirs.isascii()
    return ours == theirs or (plain and ours.lower() == theirs.lower())


def may_be_vouched_for(user: User, agency_id: str) -> bool:
    """An agency's provider speaks for the agency's own people; and not for those whose roles reach beyond it:
    whoever administers the provider could else take on what an administrator cannot give (as with resets)."""
    return user.agency_id == agency_id and not reaches_beyond(user.roles)
