"""HTTP as a check needs it: cheap, timed, never repeated behind one's back."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

BASE = "/api/v1"
SECONDS = 8.0
"""Longer than any answer may take."""
IDLE_SECONDS = 1.0
"""A connection unused for so long is opened anew: the other side closes it some time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Status 0: no answer, or not all of it; times are of the monotonic clock."""

    status: int
    body: bytes
    began: float
    ended: float
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Line:
    """One connection of one principal, opened anew when it breaks. For one thread. `browser`: paths are pages
    of the web client, and the session is in its cookie."""

    def __init__(self, url: str, token: str, *, browser: bool = False) -> None:
        self._place, self._base = urlsplit(url), "" if browser else BASE
        self._session = {"Cookie": f"concordat={token}"} if browser else {"Authorization": f"Bearer {token}"}
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def hold(self, token: str, device: str = "") -> None:
        """From now on this session, and the cookie of this device (`name=value`; none: of no device)."""
        self._session = {"Authorization": f"Bearer {token}", **({"Cookie": device} if device else {})}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request, exactly once. `Idempotency_Key="…"` becomes a header of that name."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body), "application/json"
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        return self.send(method, path, content, sent)

    def send(
        self, method: str, path: str, content: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The same as it is written, right or wrong; nothing but the session is added."""
        sent, began = {**self._session, **(headers or {})}, time.monotonic()
        try:
            connection = self._open()
            connection.request(method, self._base + path, content, sent)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer(0, b"", began, time.monotonic())
        self._used = time.monotonic()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, data, began, self._used, told)

    def _open(self) -> http.client.HTTPConnection:
        if time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                str(self._place.hostname), self._place.port, timeout=SECONDS
            )
        return self._connection
