"""Who asks `cases` as the gateway would: by requests that are signed as `sharing` signs them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from services.chassis.callers import AUTHORITY, PURPOSE
from services.chassis.payload import raw
from services.chassis.sealing import Keyring
from services.contracts.caller import Caller, SignedCaller, hash_arguments, sign
from services.contracts.messages import Request
from tests.cell import Parts
from tests.integration.calling import Calling


class Signing(Protocol):
    """Where the way to the service is, and the key."""

    calling: Calling
    secret: bytes


def secret_of(parts: Parts) -> bytes:
    """With which `sharing` signs callers to `cases`."""
    return Keyring(parts.keys_dir, AUTHORITY).shared_secrets("cases", PURPOSE)[0]


@dataclass
class Asker:
    """A user, or with `kind` a client, whose requests are signed as `sharing` signs them."""

    world: Signing
    agency_id: str
    team_ids: tuple[str, ...] = ()
    kind: str = "user"
    roles: tuple[str, ...] = ("practitioner",)
    scopes: tuple[str, ...] = ()
    accountable_id: str | None = None
    fences: Any = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    session_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def ask(
        self, method: str, request: Request, *, key: str | None = None, calling: Calling | None = None
    ) -> Any:
        """What `cases.method` answers, as plain JSON. Raises its error."""
        request_id = uuid.uuid4().hex
        signed = self.signed(method, request, key, request_id)
        return (calling or self.world.calling).ask(
            f"cases.{method}", request, caller=signed, request_id=request_id, key=key, seconds=5
        )

    def tell(self, method: str, request: Request, key: str | None = None) -> Any:
        """As `ask`, of a command."""
        return self.ask(method, request, key=key or uuid.uuid4().hex)

    def signed(self, method: str, request: Request, key: str | None, request_id: str) -> SignedCaller:
        now = datetime.now(UTC)
        caller = Caller(
            kind=self.kind,  # type: ignore[arg-type]
            id=self.id,
            accountable_id=self.accountable_id,
            agency_id=self.agency_id,
            team_ids=self.team_ids,
            roles=self.roles,
            scopes=self.scopes,
            session_id=self.session_id,
            name=f"Name of {self.id[:4]}",
            agency_name=f"Name of {self.agency_id[:8]}",
            device_class="managed",
            fences=self.fences,
            audience="cases",
            method=method,
            args_hash=hash_arguments(bytes(raw(request)), key),
            request_id=request_id,
            now=now,
            expires_at=now + timedelta(seconds=10),
        )
        return sign(caller, self.world.secret)
