"""Who is told without asking: readers of the live stream, and an agency's own system with its webhook."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator

import httpx

from deploy.demo.api import BASE, Api
from tests.checks.disclosure.joining import Pushed, Received
from tests.checks.disclosure.listening import Kept
from tests.journey.listening import Receiver
from tests.waiting import until

CHANNEL = "GET /stream"
_ENTRY = ": consultation "


class Watcher:
    """Has a live stream open, and opens it anew when it ends."""

    def __init__(self, url: str, token: str, kept: Kept) -> None:
        self._url, self._token, self._kept = f"{url}{BASE}/stream", token, kept
        self._after = ""

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            with httpx.Client(timeout=httpx.Timeout(10, read=25), trust_env=False) as client:
                reading = threading.Thread(target=self._read, args=(client,), daemon=True)
                reading.start()
                while reading.is_alive() and not stop.wait(0.3):
                    pass
            reading.join(5)

    def _read(self, client: httpx.Client) -> None:
        request_id = f"check-{uuid.uuid4().hex}"
        headers = {"Authorization": f"Bearer {self._token}", "X-Request-Id": request_id}
        if self._after:
            headers["Last-Event-ID"] = self._after
        try:
            with client.stream("GET", self._url, headers=headers) as answer:
                if answer.status_code == 200:
                    self._take(request_id, answer.iter_lines())
        except (httpx.HTTPError, httpx.StreamError, RuntimeError, OSError):
            return  # it ended, or was ended here

    def _take(self, request_id: str, lines: Iterator[str]) -> None:
        """All frames of one answer follow the entry under which they were disclosed."""
        entry: str | None = None
        for line in lines:
            if line.startswith(_ENTRY):
                entry = line.removeprefix(_ENTRY).strip()
            elif line.startswith(":"):
                entry = None
            elif line.startswith("id:"):
                self._after = line[3:].strip()
            elif line.startswith("data:"):
                case_id = json.loads(line[5:])["data"]["case_id"]
                self._kept.add(Received(request_id, 200, 0.0, entry, False, (), CHANNEL, names=(case_id,)))


class Hook:
    """The system's receiver, subscribed to everything."""

    def __init__(self, system: Api, client_id: str) -> None:
        self._system, self._receiver = system, Receiver()
        body = {"client_id": client_id, "transport": "webhook", "url": self._receiver.url, "types": ["*"]}
        self._path = f"/subscriptions/{system.post('/subscriptions', body)['id']}/deliveries"

    def close(self) -> None:
        self._receiver.close()

    @property
    def got(self) -> int:
        """How many pushes have come."""
        return len(self._receiver.deliveries)

    def pushed(self, first: int, last: int) -> list[Pushed]:
        """The pushes with these numbers, each delivery once, by the ids that the log calls them by."""
        came = self._receiver.deliveries[:last]
        cases = {one.event["id"]: one.event["data"]["case_id"] for one in came[first:]}
        times = Counter(one.event["id"] for one in came)
        known: dict[str, str] = {}

        def all_known() -> bool:
            known.update({one["event_id"]: one["id"] for one in self._system.all(self._path)})
            return cases.keys() <= known.keys()

        until(all_known, seconds=60, every=1.0)
        return [Pushed(known[event], times[event], case) for event, case in cases.items()]
