"""A user who asks audit, without a gateway and without `sharing`: the caller is signed here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from services.chassis.callers import AUTHORITY, PURPOSE
from services.chassis.payload import raw
from services.chassis.sealing import Keyring
from services.contracts import audit
from services.contracts.caller import Caller, hash_arguments, sign
from services.contracts.errors import ConcordatError
from tests.cell import Parts
from tests.integration.calling import Calling


class Asking:
    """A user who asks audit, as the gateway passes it on."""

    def __init__(self, calling: Calling, parts: Parts, id_: str, agency: str, *roles: str) -> None:
        self._calling, self._parts = calling, parts
        self.id, self.agency, self.roles = id_, agency, roles

    def ask(self, method: str, request: BaseModel, reply: type[BaseModel]) -> Any:
        now = datetime.now(UTC)
        caller = Caller(
            kind="user",
            id=self.id,
            agency_id=self.agency,
            roles=self.roles,
            device_class="managed",
            audience="audit",
            method=method,
            args_hash=hash_arguments(bytes(raw(request))),
            request_id="r-1",
            now=now,
            expires_at=now + timedelta(seconds=10),
        )
        secret = Keyring(self._parts.keys_dir, AUTHORITY).shared_secrets("audit", PURPOSE)[0]
        return self._calling.ask(
            f"audit.{method}", request, caller=sign(caller, secret), request_id="r-1", reply=reply
        )

    def refused(self, method: str, request: BaseModel) -> ConcordatError:
        with pytest.raises(ConcordatError) as problem:
            self.ask(method, request, audit.EntryView)
        return problem.value
