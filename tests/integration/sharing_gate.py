"""What the gateway does for every request, for tests of sharing without HTTP: identify, then ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from services.chassis.mongo import connect
from services.chassis.payload import raw
from services.contracts.authority import Identified, Identify
from services.contracts.caller import Caller, SignedCaller, hash_arguments
from services.contracts.messages import Request
from services.contracts.sharing import (
    account,
    agencies,
    clients,
    people,
    procedures,
    protocols,
    sessions,
    teams,
)
from tests.cell import Parts
from tests.integration.calling import Calling, Instance, instances
from tests.integration.running_services import ROOT

SHARING = "services.sharing.service:SharingService"
CASES = "tests.integration.cases_standin:CasesStandIn"
MODULES = (account, agencies, clients, people, procedures, protocols, sessions, teams)


class Gate:
    """Asks sharing as a session, with plain dicts for bodies."""

    def __init__(self, calling: Calling) -> None:
        self.calling = calling

    def identify(
        self, token: str, method: str, request: Request, *, service: str = "sharing", **more: Any
    ) -> tuple[Caller, SignedCaller, str]:
        request_id = uuid.uuid4().hex
        asked = Identify(
            token=token,
            audience=service,
            method=method,
            args_hash=hash_arguments(bytes(raw(request)), more.get("key")),
            request_id=request_id,
            address=more.get("address"),
            device=more.get("device"),
        )
        told = self.calling.ask("sharing.identify", asked, reply=Identified)
        signed = SignedCaller(told.body.encode(), bytes.fromhex(told.mac))
        return Caller.model_validate_json(told.body), signed, request_id

    def ask(self, token: str, method: str, request: Request, *, key: str | None = None, **where: Any) -> Any:
        """A query of sharing's, as JSON; `where` has the address and device that it comes from."""
        _, signed, request_id = self.identify(token, method, request, key=key, **where)
        return self.calling.ask(f"sharing.{method}", request, caller=signed, request_id=request_id, key=key)

    def tell(self, token: str, method: str, request: Request, *, key: str | None = None) -> Any:
        """A command of sharing's, as JSON."""
        return self.ask(token, method, request, key=key or uuid.uuid4().hex)

    def log_in(self, address: str | None = None, **credentials: Any) -> Any:
        request = sessions.LogIn(credentials=sessions.Credentials(**credentials), address=address)
        return self.calling.ask("sharing.log_in", request)

    def activate(self, token: str, password: str) -> Any:
        body = people.ActivationBody(token=token, password=password)
        return self.calling.ask("sharing.activate", people.Activate(activation=body), key=uuid.uuid4().hex)


def bootstrap(parts: Parts, username: str, agency: str = "Operator") -> dict[str, Any]:
    """What `python -m services.sharing.bootstrap` prints."""
    command = [sys.executable, "-W", "ignore", "-m", "services.sharing.bootstrap"]
    given = ["--username", username, "--name", "Opal Operator", "--email", "opal@operator.example"]
    done = subprocess.run(
        [*command, *given, "--agency", agency],
        cwd=ROOT,
        env={**os.environ, **parts.environment("sharing")},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextmanager
def sharing_alone(parts: Parts, folder: Path, **settings: str) -> Iterator[Instance]:
    """A process of `sharing`, ready, and no `cases` any more: one must answer once, or nothing is served."""
    with ExitStack() as stack:
        with instances(parts, folder, CASES):
            (sharing,) = stack.enter_context(instances(parts, folder, SHARING, **settings))
        yield sharing


def begin_anew(parts: Parts) -> None:
    """An empty `sharing`, which `cases` has never heard of: others have founded a partnership in it."""
    with connect(parts.mongo_url("operator"), app="test") as client:
        client.drop_database("sharing")
        client["cases"].drop_collection("witnessed")
