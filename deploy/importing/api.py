"""The HTTP API as one person uses it: log in, ask, send again what was not answered.

Nothing that was sent or answered is ever in an exception's text: it may be personal data.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from deploy.importing.tables import Fault
from deploy.launcher.trouble import Trouble

ATTEMPTS = 8
LONGEST_WAIT = 30.0
"""Seconds between two attempts, whatever the server asks for."""
PATIENCE = httpx.Timeout(10.0, connect=5.0)
BASE = "/api/v1"
_AGAIN = frozenset({429, 502, 503, 504})
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class NoAnswer(Exception):
    """The server did not answer, or was not ready, as often as it was asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body ({} without one)."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def code(self) -> str:
        return str(self.body.get("code", f"http_{self.status}"))

    @property
    def faults(self) -> list[Fault]:
        """The wrong fields that a problem names, else the problem itself."""
        told = self.body.get("errors") or [{}]
        title = self.body.get("title", "The server refused this.")
        return [
            Fault(str(one.get("code", self.code)), str(one.get("pointer", "")), str(one.get("detail", title)))
            for one in told
            if isinstance(one, dict)
        ]


class Api:
    """A logged-in session. Use as a context manager: it ends the session."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url` is the site's, such as https://concordat.example. Raises Trouble for one without TLS."""
        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise Trouble(f"{url} is not a site's address, such as https://concordat.example.")
        if place.scheme == "http" and place.hostname not in _LOCAL:
            raise Trouble("A password and personal data are sent over https only, except to this machine.")
        self._wait = wait
        self._http = httpx.Client(
            base_url=url.rstrip("/").removesuffix(BASE) + BASE,
            timeout=PATIENCE,
            transport=transport,
            trust_env=place.hostname not in _LOCAL,
            headers={"Accept": "application/json"},
        )
        self.started = datetime.now(UTC)
        """By the server's clock, as finely as that of what it makes: what was made since then is ours."""

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if "Authorization" in self._http.headers:
                self._http.delete("/sessions/current", headers={"Idempotency-Key": uuid.uuid4().hex})
        except httpx.HTTPError:
            pass  # it ends by itself
        finally:
            self._http.close()

    def log_in(self, username: str, password: str, code: Callable[[], str]) -> None:
        """`code` is asked only when the server wants one. Raises Trouble."""
        credentials = {"username": username, "password": password}
        answer = self._asked("POST", "/sessions", credentials)
        if answer.code == "totp_required":
            answer = self._asked("POST", "/sessions", {**credentials, "totp": code()})
        if not answer.ok:
            raise Trouble(f"The log-in was refused: {answer.body.get('title', answer.code)} ({answer.code}).")
        if must := answer.body.get("must"):
            raise Trouble(f"This account has to do something first, in the browser: {', '.join(must)}.")
        self._http.headers["Authorization"] = f"Bearer {answer.body['token']}"
        self.started = datetime.fromisoformat(self.get("/sessions/current")["created_at"])

    def get(self, path: str) -> dict[str, Any]:
        """Raises Trouble."""
        answer = self._asked("GET", path)
        if not answer.ok:
            raise Trouble(f"GET {path.partition('?')[0]} was refused ({answer.code}).")
        return answer.body

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """All of a list, page by page. Raises Trouble."""
        joint, cursor = "&" if "?" in path else "?", ""
        while True:
            page = self.get(f"{path}{joint}limit=100{cursor}")
            yield from page["items"]
            if not page.get("next"):
                return
            cursor = f"&cursor={page['next']}"

    def post(self, path: str, body: dict[str, Any], key: str) -> Answer:
        """Until it is answered: the key makes a repetition harmless. Raises NoAnswer."""
        return self._until_answered("POST", path, body, {"Idempotency-Key": key})

    def _asked(self, method: str, path: str, body: Any = None) -> Answer:
        try:
            return self._until_answered(method, path, body, {})
        except NoAnswer:
            raise Trouble(f"{self._http.base_url} does not answer. Is it the right address?") from None

    def _until_answered(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        for attempt in range(ATTEMPTS):
            wait = min(LONGEST_WAIT, 0.25 * 2**attempt)
            try:
                response = self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                response = None
            if response is not None:
                answer = _read(response)
                if response.status_code not in _AGAIN and answer.code != "request_in_progress":
                    return answer
                wait = min(LONGEST_WAIT, max(wait, _retry_after(response)))
            if attempt < ATTEMPTS - 1:
                self._wait(wait)
        raise NoAnswer


def _read(response: httpx.Response) -> Answer:
    try:
        body = response.json() if response.content else {}
    except ValueError:
        body = {}
    return Answer(response.status_code, body if isinstance(body, dict) else {})


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(0.0, float(response.headers.get("Retry-After", 0)))
    except ValueError:
        return 0.0
