"""Those who read: they look at everything, all the time, and write down what they saw. What comes to them by
itself is `watching.py`'s."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from tests.checks.revocation.history import Asked, Facet, History, Pair, Sighting
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.seats import Seat
from tests.checks.wire import Answer, Line

CHANNELS = (
    "get",
    "304",
    "entries",
    "list",
    "search",
    "inbox",
    "shares",
    "write",
    "replay",
    "stream",
    "webhook",
)

Look = Callable[[str], None]


class Reader:
    """Whoever has one seat, at one gateway, in a thread of its own."""

    def __init__(self, url: str, scene: Scene, seat: Seat, history: History, seed: int) -> None:
        self._scene, self._seat, self._history = scene, seat, history
        self._guest = seat.guest
        self._line, self._random = Line(url, self._guest.token), random.Random(seed)
        self._person = seat.is_person
        self._tags: dict[str, tuple[str, tuple[Facet, ...]]] = {}
        self._keys: dict[str, tuple[str, Any]] = {}

    def run(self, stop: threading.Event) -> None:
        looks: list[Look] = [self.get, self.get, self.not_modified, self.entries, self.entries]
        looks += [self.list, self.write, self.replay, self.shares]
        if self._person:
            looks += [self.search, self.inbox]
        while not stop.is_set():
            self.sit()
            self._random.choice(looks)(self._random.choice(self._scene.present(self._guest.key)))
        self.close()

    def close(self) -> None:
        self._line.close()

    def sit(self) -> None:
        """As whoever has the seat now, with the session of now."""
        guest = self._seat.guest
        if guest.key != self._guest.key:
            self._tags, self._keys = {}, {}
        self._guest = guest
        self._line.hold(guest.token, guest.device)

    def every(self) -> None:
        """Everything that there is, once."""
        for case_id in self._scene.present(self._guest.key):
            self.sit()
            for look in (self.get, self.not_modified, self.entries, self.shares, self.write, self.replay):
                look(case_id)
            if self._person:
                self.search(case_id)
        self.list("")
        if self._person:
            self.inbox("")

    def get(self, case_id: str) -> None:
        answer = self._ask("get", "GET", f"/cases/{case_id}")
        if answer.status == 200:
            self._got(case_id, answer)
        else:
            self._saw_nothing("get", [case_id], answer)

    def not_modified(self, case_id: str) -> None:
        """304 says that what was seen before is seen still."""
        if case_id not in self._tags:
            return
        tag, facets = self._tags[case_id]
        answer = self._ask("304", "GET", f"/cases/{case_id}", If_None_Match=tag)
        if answer.status == 304:
            self._saw("304", case_id, facets, answer)
        elif answer.status == 200:
            self._got(case_id, answer)
        else:
            self._saw_nothing("304", [case_id], answer)

    def _got(self, case_id: str, answer: Answer) -> None:
        facets = _facets(answer.json())
        self._tags[case_id] = answer.headers.get("etag", ""), facets
        self._saw("get", case_id, facets, answer)
        for missing in {"content", "summary"} - set(facets):
            self._saw_nothing("get", [case_id], answer, missing)

    def entries(self, case_id: str) -> None:
        answer = self._ask("entries", "GET", f"/cases/{case_id}/entries?limit=50")
        items = answer.json()["items"] if answer.status == 200 else []
        if not items:
            self._saw_nothing("entries", [case_id], answer, "entries")
            return
        # The newest is what may be too new; it stands in its text, so that it is known at once.
        made = [float(text[7:]) for one in items if (text := one.get("text", "")).startswith("canary ")]
        self._saw("entries", case_id, ("entries",), answer, max(made, default=None))

    def list(self, _case_id: str) -> None:
        answer = self._ask("list", "GET", "/cases?mine=shared&limit=100")
        self._listed("list", answer, self._scene.present(self._guest.key))

    def search(self, case_id: str) -> None:
        body = {"in": "cases", "text": self._scene.references[case_id]}
        self._listed("search", self._ask("search", "POST", "/searches", body), [case_id])

    def inbox(self, _case_id: str) -> None:
        answer = self._ask("inbox", "GET", "/inbox?limit=50")
        items = answer.json()["items"] if answer.status == 200 else []
        told = [item for item in items if item["case_id"] in self._scene.references]
        for case_id, of_entry in {(item["case_id"], item["kind"].startswith("entry.")) for item in told}:
            self._saw("inbox", case_id, ("timeline",) if of_entry else ("case",), answer)
        there = {item["case_id"] for item in told}
        absent = [one for one in self._scene.present(self._guest.key) if one not in there]
        self._saw_nothing("inbox", absent, answer)

    def shares(self, case_id: str) -> None:
        """To a recipient, the shares that name it."""
        answer = self._ask("shares", "GET", f"/cases/{case_id}/shares")
        if answer.status == 200:
            self._saw("shares", case_id, ("case",), answer)
        else:
            self._saw_nothing("shares", [case_id], answer)

    def write(self, case_id: str) -> None:
        """What is taken counts as much as what is given."""
        body = {"type": "note", "occurred_at": "2026-11-01T09:00:00Z", "text": "guest's note"}
        key = uuid.uuid4().hex
        answer = self._ask("write", "POST", f"/cases/{case_id}/entries", body, Idempotency_Key=key)
        if answer.status == 201:
            self._keys[case_id] = (key, body)
            self._saw("write", case_id, ("writing",), answer)
        else:
            self._saw_nothing("write", [case_id], answer, "writing")

    def replay(self, case_id: str) -> None:
        if case_id not in self._keys:
            return
        key, body = self._keys[case_id]
        answer = self._ask("replay", "POST", f"/cases/{case_id}/entries", body, Idempotency_Key=key)
        if answer.status == 201:
            self._saw("replay", case_id, ("writing",), answer)
        else:
            self._saw_nothing("replay", [case_id], answer, "writing")

    def _listed(self, channel: str, answer: Answer, case_ids: Iterable[str]) -> None:
        found = {one["id"]: one for one in answer.json()["items"]} if answer.status == 200 else {}
        for case_id in found.keys() & self._scene.references.keys():
            self._saw(channel, case_id, _facets(found[case_id]), answer)
        self._saw_nothing(channel, [one for one in case_ids if one not in found], answer)

    def _ask(self, channel: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if self._person:
            headers["Access_Reason"] = "investigation"
        answer = self._line.ask(method, path, body, **headers)
        self._history.count(channel, answer.status, answer.seconds)
        return answer

    def _saw(
        self,
        channel: str,
        case_id: str,
        facets: tuple[Facet, ...],
        answer: Answer,
        made: float | None = None,
    ) -> None:
        pair = Pair(self._guest.key, case_id)
        for facet in facets:
            self._history.saw(Sighting(pair, channel, facet, answer.began, answer.ended, made))

    def _saw_nothing(
        self, channel: str, case_ids: Iterable[str], answer: Answer, facet: Facet = "case"
    ) -> None:
        if 0 < answer.status < 500:
            for case_id in case_ids:
                pair = Pair(self._guest.key, case_id)
                self._history.saw_nothing(Asked(pair, channel, facet, answer.began, answer.ended))


def _facets(case: Any) -> tuple[Facet, ...]:
    """What of it stands in a case, or in an item of a list."""
    if "title" not in case:
        return ("case",)
    return ("case", "content", *(("summary",) if "summary" in case else ()))
