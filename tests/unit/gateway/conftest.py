"""The gateway with its services played: what it does by itself, without a broker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import falcon.asgi
import falcon.testing
import msgspec
import pytest
from pydantic import BaseModel

from gateway import app as composition
from gateway.settings import GatewaySettings
from services.chassis import context
from services.chassis.payload import raw
from services.contracts.authority import Identified
from services.contracts.caller import SignedCaller
from services.contracts.errors import ConcordatError, Unauthenticated

TOKEN = "a-session"
CALLER = {"kind": "user", "id": "u-1", "team_ids": ["t-1"]}
Answer = dict[str, Any] | ConcordatError | Callable[[dict[str, Any]], Any]


class Played:
    """In the place of `AsyncCalls`: answers as told, and remembers what it was asked."""

    ready = True

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        self.identified: list[dict[str, Any]] = []
        self.contexts: list[context.Context | None] = []
        self.caller: dict[str, Any] = CALLER

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def call(
        self,
        service: str,
        method: str,
        request: BaseModel | msgspec.Raw | None = None,
        *,
        reply: Any = None,
        caller: SignedCaller | None = None,
        key: str | None = None,
        **_more: Any,
    ) -> Any:
        given = json.loads(bytes(raw(request)))
        if (service, method) == ("sharing", "identify"):
            self.identified.append(given)
            return self._identify(given)
        self.contexts.append(context.current())
        self.asked.append((f"{service}.{method}", given, key))
        found = self.answers.get(f"{service}.{method}", {})
        if callable(found):
            found = found(given)
        if isinstance(found, ConcordatError):
            raise found
        data = json.dumps(found).encode()
        return msgspec.Raw(data) if reply is msgspec.Raw else reply.model_validate_json(data)

    def _identify(self, given: dict[str, Any]) -> Identified:
        refusal = self.answers.get("sharing.identify")
        if isinstance(refusal, ConcordatError):
            raise refusal
        if given["token"] != TOKEN:
            raise Unauthenticated
        return Identified(body=json.dumps(self.caller), mac="00")


class Nearby:
    """Every client of these tests is on this machine."""

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        req.scope["client"] = ("127.0.0.1", 50000)


class Gateway:
    """Requests with a session, and what came of them."""

    def __init__(self, played: Played, settings: GatewaySettings) -> None:
        self.played = played
        self.app = composition.create_app(settings)
        self.app.add_middleware(Nearby())
        self._client = falcon.testing.TestClient(self.app)

    def ask(self, method: str, path: str, **more: Any) -> falcon.testing.Result:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k", **more.pop("headers", {})}
        prefix = "" if more.pop("root", False) else "/api/v1"
        return self.bare(method, prefix + path, headers=headers, **more)

    def bare(self, method: str, path: str, **more: Any) -> falcon.testing.Result:
        return self._client.simulate_request(method, path, **more)


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def settings() -> dict[str, Any]:
    """Further settings: a test module may say others."""
    return {}


@pytest.fixture
def gateway(
    played: Played, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Gateway:
    monkeypatch.setattr(composition, "AsyncCalls", lambda *_args, **_options: played)
    monkeypatch.setattr(composition.logs, "configure", lambda *_args: None)
    return Gateway(
        played, GatewaySettings(rabbitmq_url="amqp://nobody@nowhere", keys_dir=tmp_path, **settings)
    )


def problem(result: falcon.testing.Result) -> tuple[int, str]:
    """Status and code; the document is checked on the way."""
    assert result.headers["content-type"] == "application/problem+json"
    assert result.json["status"] == result.status_code
    assert result.json["type"] == f"urn:concordat:problem:{result.json['code']}"
    assert result.json["request_id"] == result.headers["x-request-id"]
    return result.status_code, result.json["code"]
