"""The web client over fake services, as a browser without scripts would use it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import falcon.asgi
import msgspec
from falcon import testing

from gateway import problems
from gateway.changes import LiveChanges
from gateway.middleware.requests import Requests
from gateway.sessions import Sessions
from gateway.web.routes import add_pages
from services.contracts.errors import ConcordatError
from services.contracts.permissions import permit_of
from tests.unit.web.replies import AGENCY, ME, REPLIES

TOKEN = "t" * 43
EVERYTHING = (
    "practitioner", "agency_admin", "system_operator", "security_manager", "agency_dpo", "partnership_dpo",
)  # fmt: skip
Told = list[tuple[str, str, Any, str | None]]


class FakeAsking:
    """Answers from `replies`; `refusals` raise instead; `told` has what was commanded."""

    def __init__(self, roles: tuple[str, ...] = EVERYTHING) -> None:
        self.sessions = Sessions(secure=False)
        self.roles = roles
        self.barred: dict[str, Any] = {}
        self.replies = {method: body for method, (_, body) in REPLIES.items()}
        self.refusals: dict[tuple[str, str], ConcordatError] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.told: Told = []

    async def ask(
        self,
        req: falcon.asgi.Request,
        service: str,
        method: str,
        request: Any,
        reply: Any,
        *,
        key: str | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> msgspec.Raw:
        self.sessions.token(req)
        assert permit_of(service, method) is not None, f"nobody may ask {service}.{method}"
        if heard is not None:
            heard(
                json.dumps(
                    {"kind": "user", "id": ME["id"], "name": ME["name"], "agency_id": AGENCY["id"],
                     "agency_name": AGENCY["name"], "roles": self.roles, "team_ids": ["t1"],
                     "barred": self.barred}
                )
            )  # fmt: skip
        self.asked.append((service, method, request))
        if key is not None:
            self.told.append((service, method, request, key))
        if (service, method) in self.refusals:
            raise self.refusals[service, method]
        return msgspec.Raw(json.dumps(self.replies[service, method]).encode())

    async def ask_openly(
        self, service: str, method: str, request: Any, reply: Any, *, key: str | None = None
    ) -> Any:
        self.told.append((service, method, request, key))
        if (service, method) in self.refusals:
            raise self.refusals[service, method]
        bodies = {
            "log_in": {"id": "z1", "token": TOKEN, "expires_at": "2027-01-01T00:00:00Z",
                       "idle_expires_at": "2027-01-01T00:00:00Z", "must": []},
            "begin_sign_in": {"url": "https://id.police.example/authorize?state=s", "state": "s" * 43,
                              "host": "id.police.example", "agency": AGENCY["name"], "binding": "b" * 43},
            "begin_sign_in_challenge": {"id": "y2", "challenge": "Yw", "rp_id": "localhost",
                                        "credential_ids": ["aWQ"], "expires_at": "2027-01-01T00:00:00Z"},
            "activate": {"username": "x"},
        }  # fmt: skip
        bodies["finish_sign_in"] = bodies["log_in"]
        return reply.model_validate(bodies[method])


class _Switch:
    """Whatever fake is in use: the application is made once, its templates are compiled once."""

    def __init__(self) -> None:
        self.asking = FakeAsking()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.asking, name)


@functools.cache
def _application() -> tuple[_Switch, testing.TestClient]:
    switch = _Switch()
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App()
    app.add_middleware(Requests(5.0))
    problems.install(app)
    add_pages(app, switch, LiveChanges(None))  # type: ignore[arg-type]
    return switch, testing.TestClient(app)


class SiteClient:
    """Requests as a person's browser makes them. One at a time."""

    def __init__(self, asking: FakeAsking) -> None:
        switch, self._client = _application()
        switch.asking = self.asking = asking
        self.csrf = asking.sessions.csrf(TOKEN)

    def get(self, path: str, *, cookie: bool = True) -> testing.Result:
        return self._client.simulate_get(path, headers=self._headers(cookie))

    def post(
        self,
        path: str,
        typed: dict[str, Any] | None = None,
        *,
        cookie: bool = True,
        csrf: bool = True,
        origin: str | None = None,
    ) -> testing.Result:
        body = {**({"csrf": self.csrf} if csrf else {}), **(typed or {})}
        headers = {**self._headers(cookie), "Content-Type": "application/x-www-form-urlencoded"}
        if origin is not None:
            headers["Origin"] = origin
        return self._client.simulate_post(path, headers=headers, body=urlencode(body, doseq=True))

    @staticmethod
    def _headers(cookie: bool) -> dict[str, str]:
        return {"Cookie": f"concordat={TOKEN}"} if cookie else {}
