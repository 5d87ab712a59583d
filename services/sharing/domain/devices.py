"""Devices: what proves an enrolled secret is what its agency says of it; everything else is personal (R31).

What a request says of itself (User-Agent) counts for nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts.errors import FieldError, Invalid, InvalidTransition
from services.contracts.sharing.devices import DeviceState
from services.contracts.vocabulary import DeviceClass, EnrolledClass

CODE_LASTS = timedelta(minutes=30)
MOST_EACH = 10
"""Devices that one person has: so many stand in the principal document."""
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""None that is taken for another when it is read out."""
_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Device:
    """Without its secret. `user_id` None: anybody of the agency may use it."""

    id: str
    agency_id: str
    user_id: str | None
    name: str
    device_class: EnrolledClass
    state: DeviceState
    enrolled_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Proved:
    """The device that a request comes from, as its secret has proved."""

    id: str | None
    device_class: DeviceClass


PERSONAL = Proved(None, "personal")
CLIENTS_OWN = Proved(None, "managed")
"""Of an agency's system that comes from the networks which its registration names."""


def new_code() -> str:
    """To be read out and typed: 58 random bits, once, for half an hour, as often as at log-in."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def hash_code(code: str) -> str:
    """Whatever its case, and with blanks and dashes or without."""
    plain = "".join(one for one in code.upper() if one.isalnum())
    return hashlib.sha256(f"concordat enrolment|{plain}".encode()).hexdigest()


def check_enrolment(device: Device | None, user_id: str, agency_id: str) -> Device:
    """Raises Invalid, `/code`: one answer, whatever is wrong with it."""
    if (
        device is None
        or device.state != "registered"
        or device.agency_id != agency_id
        or device.user_id not in (None, user_id)
    ):
        raise Invalid(
            errors=(FieldError("/code", "code_not_valid", "This code is not valid, or not any more."),)
        )
    return device


def check_move(device: Device) -> None:
    """Raises InvalidTransition."""
    if device.state == "revoked":
        raise InvalidTransition(cause="device revoked")
