"""HTTP as a check needs it: cheap, timed, never repeated behind one's back."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

BASE = "/api/v1"
SECONDS = 8.0
"""Longer than any answer may take."""


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
    """One connection of one principal, opened anew when it breaks. For one thread."""

    def __init__(self, url: str, token: str) -> None:
        self._place, self._token = urlsplit(url), token
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request, exactly once. `Idempotency_Key="…"` becomes a header of that name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self._token}", **named}
        content = None
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body), "application/json"
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        began = time.monotonic()
        try:
            connection = self._open()
            connection.request(method, BASE + path, content, sent)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer(0, b"", began, time.monotonic())
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, data, began, time.monotonic(), told)

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                str(self._place.hostname), self._place.port, timeout=SECONDS
            )
        return self._connection
