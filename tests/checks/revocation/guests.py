"""The guests: they look at everything through every channel, all the time, and write down what they saw."""

from __future__ import annotations

import random
import threading
import time
import uuid
from typing import Any

from deploy.demo.api import Api
from tests.checks.revocation.history import Facet, History, Pair, Sighting
from tests.checks.revocation.scene import Guest, Scene
from tests.checks.wire import Answer, Line
from tests.journey.listening import Delivery, Frame, Receiver, Stream

PUSH_SECONDS = 1.0
"""A push starts at its authorising check, and its bytes leave within this (design, V2)."""


class Reader:
    """One guest at one gateway, in a thread of its own."""

    def __init__(self, url: str, scene: Scene, guest: Guest, history: History, seed: int) -> None:
        self._scene, self._guest, self._history = scene, guest, history
        self._line, self._random = Line(url, guest.token), random.Random(seed)
        self._person = guest.key.startswith("u:")
        self._tags: dict[str, str] = {}
        self._keys: dict[str, tuple[str, Any]] = {}

    def run(self, stop: threading.Event) -> None:
        looks = [self.get, self.get, self.not_modified, self.entries, self.list, self.write, self.replay]
        if self._person:
            looks.append(self.search)
        while not stop.is_set():
            self._random.choice(looks)(self._random.choice(self._scene.cases)["id"])
        self._line.close()

    def get(self, case_id: str) -> None:
        answer = self._ask("get", "GET", f"/cases/{case_id}")
        if answer.status == 200:
            self._tags[case_id] = answer.headers.get("etag", "")
            self._saw("get", case_id, "content" if "title" in answer.json() else "case", answer)

    def not_modified(self, case_id: str) -> None:
        tag = self._tags.get(case_id)
        if not tag:
            return
        answer = self._ask("304", "GET", f"/cases/{case_id}", If_None_Match=tag)
        if answer.status == 304:
            self._saw("304", case_id, "case", answer)

    def entries(self, case_id: str) -> None:
        answer = self._ask("entries", "GET", f"/cases/{case_id}/entries?limit=50")
        for entry in answer.json()["items"] if answer.status == 200 else ():
            self._saw("entries", case_id, "timeline", answer, self._scene.made.get(entry["id"]))

    def list(self, _case_id: str) -> None:
        answer = self._ask("list", "GET", "/cases?mine=shared&limit=100")
        for case in answer.json()["items"] if answer.status == 200 else ():
            self._saw("list", case["id"], "content" if "title" in case else "case", answer)

    def search(self, case_id: str) -> None:
        body = {"in": "cases", "text": self._scene.references[case_id]}
        answer = self._ask("search", "POST", "/searches", body)
        for case in answer.json()["items"] if answer.status == 200 else ():
            self._saw("search", case["id"], "case", answer)

    def write(self, case_id: str) -> None:
        """What is taken counts as much as what is given."""
        body = {"type": "note", "occurred_at": "2026-11-01T09:00:00Z", "text": "guest's note"}
        key = uuid.uuid4().hex
        answer = self._ask("write", "POST", f"/cases/{case_id}/entries", body, Idempotency_Key=key)
        if answer.status == 201:
            self._keys[case_id] = (key, body)
            self._saw("write", case_id, "timeline", answer)

    def replay(self, case_id: str) -> None:
        if case_id not in self._keys:
            return
        key, body = self._keys[case_id]
        answer = self._ask("replay", "POST", f"/cases/{case_id}/entries", body, Idempotency_Key=key)
        if answer.status == 201:
            self._saw("replay", case_id, "timeline", answer)

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


class Watcher:
    """Live streams of the guests, opened anew when they end, and the webhooks of their system."""

    def __init__(self, urls: list[str], scene: Scene, history: History) -> None:
        self._urls, self._scene, self._history = urls, scene, history
        self._receiver = Receiver()
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
        threads = [
            threading.Thread(target=self._watch, args=(guest, self._urls[n % len(self._urls)], stop))
            for n, guest in enumerate(people)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def finish(self) -> None:
        """Write down what was delivered, after the last delivery."""
        system = next(guest for guest in self._scene.guests if guest.key.startswith("c:"))
        for delivery in self._receiver.deliveries:
            self._pushed("webhook", system, delivery.event, delivery)
        self._receiver.close()

    @property
    def deliveries(self) -> int:
        return len(self._receiver.deliveries)

    def _watch(self, guest: Guest, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            stream = Stream(Api(url, guest.token))
            while not stop.is_set() and not stream.ended.wait(0.2):
                pass
            stream.close()
            for frame in stream.frames:
                self._pushed("stream", guest, frame.data, frame)

    def _pushed(self, channel: str, guest: Guest, event: Any, came: Frame | Delivery) -> None:
        data = event.get("data", {})
        case_id, at = data.get("case_id"), came.at - self._wall
        if case_id not in self._scene.references:
            return
        made = self._scene.made.get(data.get("entry_id", ""))
        facet: Facet = "timeline" if event["type"].startswith("entry.") else "case"
        pair = Pair(guest.key, case_id)
        self._history.count(channel, 200, 0.0)
        self._history.saw(Sighting(pair, channel, facet, at - PUSH_SECONDS, at, made))
