"""Between a client and the gateway: every answer is searched for canaries, and kept for the join."""

from __future__ import annotations

import re
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.checks.disclosure.canaries import Aviary
from tests.checks.disclosure.joining import SHOWN, Received, Wrote
from tests.checks.wire import Answer, Line

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass
class Kept:
    """What all workers found, and what they changed."""

    received: list[Received] = field(default_factory=list)
    wrote: list[Wrote] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    disclosures: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, received: Received) -> None:
        with self._lock:
            self.received.append(received)
            self.statuses[received.status] += 1
            self.disclosures += received.discloses

    def begin(self) -> None:
        """A new part of the check: other answers, the same cases."""
        with self._lock:
            self.received, self.disclosures, self.statuses = [], 0, Counter()


class Worker:
    """One principal on one gateway. `browser`: it has the web client's pages, with its session's cookie."""

    def __init__(
        self,
        url: str,
        token: str,
        aviary: Aviary,
        kept: Kept,
        *,
        person: bool = True,
        browser: bool = False,
    ) -> None:
        self.line = Line(url, token, browser=browser)
        self.aviary, self.kept, self.person, self.browser = aviary, kept, person, browser
        self._had: dict[str, tuple[str, ...]] = {}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        request_id = f"check-{uuid.uuid4().hex}"
        if self.person and not self.browser:
            headers["Access_Reason"] = "investigation"
        answer = self.line.ask(method, path, body, X_Request_Id=request_id, **headers)
        words = self.aviary.found_in(answer.body)
        channel = self._channel(method, path, answer.status)
        if words and answer.status >= 400:
            self.kept.leaks.append(f"{channel}: {words[0].split('-')[1]} in the body of a {answer.status}")
        elif self.aviary.in_addresses(answer.body, answer.headers):
            self.kept.leaks.append(f"{channel}: in a link, a cursor or a header")
        if method == "GET" and answer.status == 200:
            self._had[f"{path} {answer.headers.get('etag')}"] = words
        if answer.status == 304:
            words = self._had.get(f"{path} {headers.get('If_None_Match')}", ())
        self.kept.add(
            Received(
                request_id,
                answer.status,
                answer.seconds,
                answer.headers.get("consultation"),
                answer.status != 0,
                words if answer.status in SHOWN else (),
                channel,
                _about(path),
                self.browser,
            )
        )
        return answer

    def _channel(self, method: str, path: str, status: int) -> str:
        route = _ID.sub("{id}", path.partition("?")[0])
        return f"{'page' if self.browser else method} {route}{' 304' if status == 304 else ''}"

    def wrote(self, answer: Answer, thing: str, field: str, word: str) -> None:
        """A change was sent; if it was not answered, it may have been made or not."""
        entry_id = answer.headers.get("consultation") if answer.status in SHOWN else None
        self.kept.wrote.append(Wrote(thing, field, word, entry_id))


def _about(path: str) -> str | None:
    """The case or subject in a path: the first id there is."""
    found = _ID.search(path)
    return found[0] if found and path.startswith(("/cases/", "/subjects/")) else None
