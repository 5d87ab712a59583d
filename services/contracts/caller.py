"""Who asks, vouched for by `sharing` and bound to one request.

`sharing` answers `identify` with a caller signed for one audience, one method, one set of arguments and one
deadline. A service MUST verify it before it reads a field of it. Only sharing and the audience hold the key,
so nobody in between can mint, widen or replay one for anything else.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .bars import Bar
from .errors import Unauthenticated
from .messages import Moment

_LABEL = b"concordat caller 1\0"
_SHORTEST_KEY = 32

ArgumentsHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Epoch = Annotated[int, Field(ge=0)]


class Caller(BaseModel):
    """One principal making one request.

    `roles` are those in force at `now`; a client has `scopes` instead and an `accountable_id`. `name` and
    `agency_name` are as they were at `now`, for what is written down under them. `inactive_agencies` and
    `inactive_protocols` are those under which nothing may be shown now.
    `device_id`: the enrolled device that the request came from; None: none that proved itself.
    `barred` has what stands against it in cases of some use or marking (`bars`).
    `fences` maps a case to the least access-list epoch that a holder may judge by; "all" asks the holder to
    fetch the current list of every case it is about to show. `now` is sharing's clock; the caller is valid
    until `expires_at`. Unknown fields are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kind: Literal["user", "client", "service"]
    id: str
    accountable_id: str | None = None
    agency_id: str
    agency_type: str | None = None
    team_ids: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    session_id: str | None = None
    name: str | None = None
    agency_name: str | None = None
    device_class: str
    device_id: str | None = None
    procedure_version: str | None = None
    inactive_agencies: tuple[str, ...] = ()
    inactive_protocols: tuple[str, ...] = ()
    fences: dict[str, Epoch] | Literal["all"] = Field(default_factory=dict)
    barred: dict[str, Bar] = Field(default_factory=dict)
    audience: str
    method: str
    args_hash: ArgumentsHash
    request_id: str
    now: Moment
    expires_at: Moment


@dataclass(frozen=True, slots=True)
class SignedCaller:
    """A caller's JSON and the HMAC-SHA256 of it. Nothing in `body` may be believed before `verify`."""

    body: bytes
    mac: bytes


def hash_arguments(arguments: bytes, key: str | None = None) -> str:
    """The `args_hash` of a request: SHA-256, in hex, of its JSON exactly as sent.

    For a command its idempotency key is part of it: else one caller would do for as many commands as keys.
    """
    return hashlib.sha256(arguments if key is None else arguments + b"\0" + key.encode()).hexdigest()


def sign(caller: Caller, key: bytes) -> SignedCaller:
    """Sign `caller` with the key that sharing shares with its audience: 32 bytes or more, else ValueError."""
    body = caller.model_dump_json(exclude_defaults=True).encode()
    return SignedCaller(body, _mac(body, key))


def verify(
    signed: SignedCaller,
    key: bytes,
    *,
    audience: str,
    method: str,
    args_hash: str,
    request_id: str,
    now: datetime,
) -> Caller:
    """The caller, if it was signed with `key` for exactly this request and has not expired at `now` (aware).

    Raises Unauthenticated, whose private cause names the first thing that did not match.
    """
    if not hmac.compare_digest(_mac(signed.body, key), signed.mac):
        raise Unauthenticated(cause="caller: wrong mac")
    try:
        caller = Caller.model_validate_json(signed.body)
    except ValidationError:
        raise Unauthenticated(cause="caller: unreadable") from None
    bound = {"audience": audience, "method": method, "args_hash": args_hash, "request_id": request_id}
    for name, expected in bound.items():
        if getattr(caller, name) != expected:  # no secret: whoever sent this knows them all
            raise Unauthenticated(cause=f"caller: other {name}")
    if now >= caller.expires_at:
        raise Unauthenticated(cause="caller: expired")
    return caller


def _mac(body: bytes, key: bytes) -> bytes:
    if len(key) < _SHORTEST_KEY:
        raise ValueError("a caller's key has at least 32 bytes")
    return hmac.digest(key, _LABEL + body, "sha256")
