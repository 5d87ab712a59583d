"""How many failed log-ins are borne (api.md, conventions)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
PER_USERNAME = 10
PER_ADDRESS = 300


def of_username(username: str) -> str:
    """The key under which a name's failures are kept: no names stand in that collection."""
    return "u:" + _hash(username.casefold())


def of_address(address: str) -> str:
    return "a:" + _hash(address)


def of_sign_in(address: str) -> str:
    """For sign-ins that were begun: any page in a browser can begin one, and none may lock passwords out."""
    return "s:" + _hash(address)


def most(key: str) -> int:
    return PER_USERNAME if key.startswith("u:") else PER_ADDRESS


def wait(attempts: Sequence[datetime], limit: int, now: datetime) -> int | None:
    """Seconds until another attempt is heard; None: now."""
    recent = sorted(at for at in attempts if at > now - WINDOW)
    if len(recent) < limit:
        return None
    return max(1, int((recent[-limit] + WINDOW - now).total_seconds()) + 1)


def _hash(text: str) -> str:
    return hashlib.sha256(f"concordat attempts|{text}".encode()).hexdigest()[:32]
