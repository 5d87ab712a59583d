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
_OWN_PATHS = ("/me/consultations", "/account/consultations")
_WITH_AN_ID = ("/cases/", "/subjects/", "/audit/entries/", "/audit/statements")
_IN_PIECES = "/audit/statements/"
_NOT_YET = b"The statement is issued. The log has its entry within a minute"
"""All that a page says of a statement before it can be read."""
_TOLD: dict[str, tuple[re.Pattern[bytes] | None, re.Pattern[bytes] | None]] = {
    "/inbox": (re.compile(rb'"case_id": ?"([0-9a-f-]{36})"'), re.compile(rb'"/cases/([0-9a-f-]{36})')),
    "/audit/entries": (re.compile(rb'"id": ?"([0-9a-f-]{36})", ?"index"'), None),
    "/audit": (None, re.compile(rb'"/audit/entries/([0-9a-f-]{36})')),
    "/audit/statements": (
        re.compile(rb'"id": ?"([0-9a-f-]{36})", ?"subject_id"'),
        re.compile(rb'"/audit/statements/([0-9a-f-]{36})'),
    ),
}
"""What a list tells of, in the API's answer and on a page: the entry must name all of it."""


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
    """One principal on one gateway. `browser`: it has the web client's pages, with its session's cookie.
    `hat`: in whose role it asks, where that makes another channel of it."""

    hat = ""
    turned_away = False
    """Its last request had no answer but that it should come again later."""

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

    def begin(self) -> None:
        """A new part of the check."""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        request_id = f"check-{uuid.uuid4().hex}"
        if self.person and not self.browser:
            headers["Access_Reason"] = "investigation"
        answer = self.line.ask(method, path, body, X_Request_Id=request_id, **headers)
        self.turned_away = answer.status in {0, 503}
        words = self.aviary.found_in(answer.body)
        hat = self.hat if path.startswith("/audit/") else ""
        channel = f"{self._channel(method, path, answer.status)}{hat}"
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
                None if _NOT_YET in answer.body else _about(path),
                self.browser or path.startswith(_IN_PIECES),
                self.told(path, answer),
                answer.began,
            )
        )
        return answer

    def told(self, path: str, answer: Answer) -> tuple[str, ...]:
        """The ids of what a list tells of."""
        ways = _TOLD.get("/inbox" if path.startswith("/inbox/") else path.partition("?")[0])
        way = ways[self.browser] if ways else None
        if way is None or answer.status not in {200, 201}:
            return ()
        return tuple({found.decode() for found in way.findall(answer.body)})

    def _channel(self, method: str, path: str, status: int) -> str:
        route = _ID.sub("{id}", path.partition("?")[0])
        return f"{'page' if self.browser else method} {route}{' 304' if status == 304 else ''}"

    def wrote(self, answer: Answer, thing: str, field: str, word: str) -> None:
        """A change was sent; if it was not answered, it may have been made or not."""
        entry_id = answer.headers.get("consultation") if answer.status in SHOWN else None
        self.kept.wrote.append(Wrote(thing, field, word, entry_id))


def _about(path: str) -> str | None:
    """What is asked for: the first id there is in the path. One's own acts are called `own`, an export so."""
    if path.partition("?")[0] in _OWN_PATHS:
        return "own"
    if path.startswith("/audit/export"):
        return "export"
    found = _ID.search(path)
    return found[0] if found and path.startswith(_WITH_AN_ID) else None
