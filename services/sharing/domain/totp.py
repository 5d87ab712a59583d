"""One-time codes of an authenticator (RFC 6238), and the recovery codes that stand in for one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import pyotp

ISSUER = "Concordat"
STEP_SECONDS = 30
WINDOW = 1
"""Steps before and after the present one whose codes are taken: clocks differ (RFC 6238, 5.2)."""
RECOVERY_CODES = 10


def new_secret() -> str:
    return pyotp.random_base32()


def uri(secret: str, account: str) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step that `code` belongs to, if it is one of those near `now`. A step is to be used once."""
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = [
        step
        for step in range(present - WINDOW, present + WINDOW + 1)
        if hmac.compare_digest(totp.at(step * STEP_SECONDS), code)
    ]
    return max(found, default=None)


def recovery_codes(secret: str, key: str) -> tuple[str, ...]:
    """Made from the secret and the key of the command that asks, so that the same command gives them again.

    Whoever has the secret needs no recovery code: they are no weaker for being made from it.
    """
    return tuple(_code(secret, f"{key}/{number}") for number in range(RECOVERY_CODES))


def hash_recovery(code: str) -> str:
    """Whatever its case, and with its dash or without."""
    return hashlib.sha256(code.replace("-", "").strip().upper().encode()).hexdigest()


def _code(secret: str, label: str) -> str:
    raw = base64.b32encode(hmac.digest(secret.encode(), f"recovery {label}".encode(), "sha256")).decode()
    return f"{raw[:6]}-{raw[6:12]}"
