"""Who listens: an agency's webhook receiver, and a browser's live stream."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from deploy.demo.api import BASE, Api
from tests.waiting import until


@dataclass
class Delivery:
    """One push: what came, at which path, and whether its Standard Webhooks signature was right."""

    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    path: str = ""

    def signed_with(self, secret: str) -> bool:
        """https://www.standardwebhooks.com: HMAC-SHA256 over id.timestamp.body, base64, `v1,`."""
        signed = b".".join(
            (self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body)
        )
        key = base64.b64decode(secret.removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return any(
            hmac.compare_digest(one.removeprefix("v1,"), wanted)
            for one in self.headers["webhook-signature"].split()
        )


class Receiver:
    """An agency's own system, on a free port of this machine."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                named = {name.lower(): value for name, value in self.headers.items()}
                outer.deliveries.append(Delivery(json.loads(body), named, body, path=self.path))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/events"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def about(self, case_id: str) -> list[Delivery]:
        return [one for one in self.deliveries if one.event.get("data", {}).get("case_id") == case_id]


@dataclass
class Frame:
    """One event of a live stream."""

    type: str
    data: dict[str, Any]
    at: float


class Stream:
    """Somebody's live stream, read in a thread until it is closed."""

    def __init__(self, api: Api) -> None:
        self.frames: list[Frame] = []
        self.opened = threading.Event()
        self.ended = threading.Event()
        self._closed = False
        self._client = httpx.Client(timeout=httpx.Timeout(10, read=30), trust_env=False)
        self._token, self._url = api.token, f"{api.url}{BASE}/stream"
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        self._closed = True
        self._client.close()

    def about(self, case_id: str) -> list[Frame]:
        return [one for one in self.frames if one.data.get("data", {}).get("case_id") == case_id]

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
        try:
            with self._client.stream("GET", self._url, headers=headers) as answer:
                if answer.status_code == 200:
                    self.opened.set()
                    self._take(answer.iter_lines())
        except (httpx.HTTPError, RuntimeError):
            if not self._closed:
                raise
        finally:
            self.ended.set()

    def _take(self, lines: Iterator[str]) -> None:
        kind, data = "", ""
        for line in lines:
            if line.startswith("event:"):
                kind = line[6:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()
            elif not line and data:
                self.frames.append(Frame(kind, json.loads(data), time.time()))
                kind, data = "", ""


@contextmanager
def listening(api: Api) -> Iterator[Stream]:
    """A stream that is open."""
    stream = Stream(api)
    try:
        until(stream.opened.is_set, seconds=5)
        yield stream
    finally:
        stream.close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
