"""The HTTP API as a program uses it: a client a log-in, keys that make repeats harmless, patience."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
import weakref
from typing import Any

import httpx

BASE = "/api/v1"
_PATIENCE = 30.0


class Refusal(Exception):
    """The API said no. Its text is the method, the route and the code: nothing that was sent."""

    def __init__(self, method: str, path: str, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.problem: dict[str, Any] = _problem(answer)
        self.code = str(self.problem.get("code", ""))
        super().__init__(f"{method} {path}: {self.status} {self.code} {self._fields()}".rstrip())

    def _fields(self) -> str:
        return " ".join(f"{one['pointer']}:{one['code']}" for one in self.problem.get("errors", ()))


class Api:
    """A client of the API at `url` (without /api/v1), signed in or not."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url.rstrip("/"), token
        self._http = httpx.Client(base_url=self.url + BASE, timeout=10, trust_env=False)
        # Nobody has to remember to close one: a seeding opens dozens.
        weakref.finalize(self, self._http.close)
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._http.close()

    def sign_in(self, username: str, password: str, totp: str | None = None) -> Api:
        """A client with a session of its own. Raises Refusal."""
        body = {"username": username, "password": password, **({"totp": totp} if totp else {})}
        session = self.post("/sessions", body)
        return Api(self.url, session["token"])

    def sign_in_client(self, client_id: str, secret: str) -> Api:
        """The same for an agency's own system."""
        session = self.post("/sessions", {"client_id": client_id, "client_secret": secret})
        return Api(self.url, session["token"])

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, headers=headers).json()

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
        """Make something. The same `key`, or without one the same body in this process, makes it once."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **headers}
        answer = self.send("POST", path, body, headers=headers)
        return answer.json() if answer.content else None

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """Change what is there now: reads its ETag first."""
        tag = self.send("GET", path, headers=headers).headers.get("ETag")
        return self.send("PATCH", path, body, headers={"If-Match": tag or "*", **headers}).json()

    def put(self, path: str, body: Any, **headers: str) -> Any:
        answer = self.send("PUT", path, body, headers=headers)
        return answer.json() if answer.content else None

    def delete(self, path: str, **headers: str) -> None:
        self.send("DELETE", path, headers=headers)

    def send(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One request, repeated while a part is down. Raises Refusal, or what httpx raises after 30 s."""
        give_up = time.monotonic() + _PATIENCE
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        while True:
            try:
                answer = self._http.request(method, path, json=body, headers=named)
            except httpx.TransportError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.2)
                continue
            if answer.status_code < 400:
                return answer
            refusal = Refusal(method, path.partition("?")[0], answer)
            if not _passes(refusal) or time.monotonic() > give_up:
                raise refusal
            time.sleep(min(float(answer.headers.get("Retry-After", "0.2")), 2.0))

    def all(self, path: str) -> list[Any]:
        """Every item of a list, page by page."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            more = f"cursor={cursor}" if cursor else "limit=100"
            page = self.get(f"{path}{'&' if '?' in path else '?'}{more}")
            items += page["items"]
            cursor = page.get("next")
            if not cursor:
                return items


def key_of(*parts: Any) -> str:
    """A key for something that is to be made once, however often the program runs."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]


def _passes(refusal: Refusal) -> bool:
    """Worth another try: the other 409s say something about the request."""
    return refusal.status in {429, 503} or refusal.code == "request_in_progress"


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
