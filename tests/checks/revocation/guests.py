"""The guests: they look at everything through every channel, all the time, and write down what they saw."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from deploy.demo.api import Api
from tests.checks.revocation.history import Asked, Facet, History, Pair, Sighting
from tests.checks.revocation.lag import Lag
from tests.checks.revocation.scene import Guest, Scene
from tests.checks.wire import Answer, Line
from tests.journey.listening import Receiver, Stream

PUSH_SECONDS = 1.0
"""A push starts at its authorising check, and its bytes leave within this (design, V2)."""
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
    """One guest at one gateway, in a thread of its own."""

    def __init__(self, url: str, scene: Scene, guest: Guest, history: History, seed: int) -> None:
        self._scene, self._guest, self._history = scene, guest, history
        self._line, self._random = Line(url, guest.token), random.Random(seed)
        self._person = guest.key.startswith("u:")
        self._tags: dict[str, tuple[str, Facet]] = {}
        self._keys: dict[str, tuple[str, Any]] = {}

    def run(self, stop: threading.Event) -> None:
        looks: list[Look] = [self.get, self.get, self.not_modified, self.entries, self.entries]
        looks += [self.list, self.write, self.replay, self.shares]
        if self._person:
            looks += [self.search, self.inbox]
        while not stop.is_set():
            self._random.choice(looks)(self._random.choice(self._scene.cases)["id"])
        self._line.close()

    def get(self, case_id: str) -> None:
        answer = self._ask("get", "GET", f"/cases/{case_id}")
        if answer.status == 200:
            facet = _facet(answer.json())
            self._tags[case_id] = answer.headers.get("etag", ""), facet
            self._saw("get", case_id, facet, answer)
        else:
            self._saw_nothing("get", [case_id], answer)

    def not_modified(self, case_id: str) -> None:
        """304 says that what was seen before is seen still."""
        if case_id not in self._tags:
            return
        tag, facet = self._tags[case_id]
        answer = self._ask("304", "GET", f"/cases/{case_id}", If_None_Match=tag)
        if answer.status == 304:
            self._saw("304", case_id, facet, answer)
        elif answer.status == 200:
            self._saw("get", case_id, _facet(answer.json()), answer)
        else:
            self._saw_nothing("304", [case_id], answer)

    def entries(self, case_id: str) -> None:
        answer = self._ask("entries", "GET", f"/cases/{case_id}/entries?limit=50")
        items = answer.json()["items"] if answer.status == 200 else []
        if not items:
            self._saw_nothing("entries", [case_id], answer, "timeline")
            return
        # The newest is what may be too new; it stands in its text, so that it is known at once.
        made = [float(text[7:]) for one in items if (text := one.get("text", "")).startswith("canary ")]
        self._saw("entries", case_id, "timeline", answer, max(made, default=None))

    def list(self, _case_id: str) -> None:
        self._listed("list", self._ask("list", "GET", "/cases?mine=shared&limit=100"), self._scene.references)

    def search(self, case_id: str) -> None:
        body = {"in": "cases", "text": self._scene.references[case_id]}
        self._listed("search", self._ask("search", "POST", "/searches", body), [case_id])

    def inbox(self, _case_id: str) -> None:
        answer = self._ask("inbox", "GET", "/inbox?limit=50")
        items = answer.json()["items"] if answer.status == 200 else []
        told = [item for item in items if item["case_id"] in self._scene.references]
        for case_id, of_entry in {(item["case_id"], item["kind"].startswith("entry.")) for item in told}:
            self._saw("inbox", case_id, "timeline" if of_entry else "case", answer)
        self._saw_nothing("inbox", self._scene.references.keys() - {item["case_id"] for item in told}, answer)

    def shares(self, case_id: str) -> None:
        """To a recipient, the shares that name it."""
        answer = self._ask("shares", "GET", f"/cases/{case_id}/shares")
        if answer.status == 200:
            self._saw("shares", case_id, "case", answer)
        else:
            self._saw_nothing("shares", [case_id], answer)

    def write(self, case_id: str) -> None:
        """What is taken counts as much as what is given."""
        body = {"type": "note", "occurred_at": "2026-11-01T09:00:00Z", "text": "guest's note"}
        key = uuid.uuid4().hex
        answer = self._ask("write", "POST", f"/cases/{case_id}/entries", body, Idempotency_Key=key)
        if answer.status == 201:
            self._keys[case_id] = (key, body)
            self._saw("write", case_id, "timeline", answer)
        else:
            self._saw_nothing("write", [case_id], answer, "timeline")

    def replay(self, case_id: str) -> None:
        if case_id not in self._keys:
            return
        key, body = self._keys[case_id]
        answer = self._ask("replay", "POST", f"/cases/{case_id}/entries", body, Idempotency_Key=key)
        if answer.status == 201:
            self._saw("replay", case_id, "timeline", answer)
        else:
            self._saw_nothing("replay", [case_id], answer, "timeline")

    def _listed(self, channel: str, answer: Answer, case_ids: Iterable[str]) -> None:
        found = {one["id"]: one for one in answer.json()["items"]} if answer.status == 200 else {}
        for case_id in case_ids:
            if case_id in found:
                self._saw(channel, case_id, _facet(found[case_id]), answer)
            else:
                self._saw_nothing(channel, [case_id], answer)

    def _ask(self, channel: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if self._person:
            headers["Access_Reason"] = "investigation"
        answer = self._line.ask(method, path, body, **headers)
        self._history.count(channel, answer.status, answer.seconds)
        return answer

    def _saw(
        self, channel: str, case_id: str, facet: Facet, answer: Answer, made: float | None = None
    ) -> None:
        pair = Pair(self._guest.key, case_id)
        self._history.saw(Sighting(pair, channel, facet, answer.began, answer.ended, made))
        if facet == "content":
            self._history.saw(Sighting(pair, channel, "case", answer.began, answer.ended))

    def _saw_nothing(
        self, channel: str, case_ids: Iterable[str], answer: Answer, facet: Facet = "case"
    ) -> None:
        if 0 < answer.status < 500:
            for case_id in case_ids:
                pair = Pair(self._guest.key, case_id)
                self._history.saw_nothing(Asked(pair, channel, facet, answer.began, answer.ended))


class Watcher:
    """Live streams of the guests, opened anew when they end, and the webhooks of their system."""

    def __init__(self, urls: list[str], scene: Scene, history: History) -> None:
        self._urls, self._scene, self._history = urls, scene, history
        self._receiver, self._lag = Receiver(), Lag()
        self._wall = time.time() - time.monotonic()

    def subscribe(self) -> None:
        system = next(guest for guest in self._scene.guests if guest.key.startswith("c:"))
        api = Api(self._urls[0], system.token)
        body = {
            "client_id": system.member["client_id"],
            "transport": "webhook",
            "url": self._receiver.url,
            "types": ["*"],
        }
        api.post("/subscriptions", body)

    def run(self, stop: threading.Event) -> None:
        people = [guest for guest in self._scene.guests if guest.key.startswith("u:")]
        people.append(self._scene.member)
        threads = [
            threading.Thread(target=self._watch, args=(guest, self._urls[n % len(self._urls)], stop))
            for n, guest in enumerate(people)
        ]
        threads.append(threading.Thread(target=self._lag.run, args=(stop,)))
        threads.append(threading.Thread(target=self._receive, args=(stop,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._receiver.close()

    def _receive(self, stop: threading.Event) -> None:
        system = next(guest for guest in self._scene.guests if guest.key.startswith("c:"))
        taken = 0
        while not stop.wait(0.5) or taken < len(self._receiver.deliveries):
            for delivery in self._receiver.deliveries[taken:]:
                self._pushed("webhook", system, delivery.event, delivery.at)
                taken += 1

    def _watch(self, guest: Guest, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            stream, taken = Stream(Api(url, guest.token)), 0
            while not stop.wait(0.5) and not stream.ended.is_set():
                taken += self._take(guest, stream, taken)
            stream.close()
            self._take(guest, stream, taken)

    def _take(self, guest: Guest, stream: Stream, taken: int) -> int:
        frames = stream.frames[taken:]
        for frame in frames:
            self._pushed("stream", guest, frame.data, frame.at)
        return len(frames)

    def _pushed(self, channel: str, guest: Guest, event: Any, came: float) -> None:
        data = event.get("data", {})
        case_id, at = data.get("case_id"), came - self._wall
        if case_id not in self._scene.references:
            return
        made = self._scene.made.get(data.get("entry_id", ""))
        facet: Facet = "timeline" if event["type"].startswith("entry.") else "case"
        # How late this process noticed is not the product's doing.
        began = at - PUSH_SECONDS - self._lag.before(at)
        self._history.count(channel, 200, 0.0)
        self._history.saw(Sighting(Pair(guest.key, case_id), channel, facet, began, at, made))


def _facet(case: Any) -> Facet:
    return "content" if "title" in case else "case"
