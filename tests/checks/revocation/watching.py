"""What comes by itself: the live streams of people, and the webhooks of systems."""

from __future__ import annotations

import threading
import time
from typing import Any

from deploy.demo.api import Api
from tests.checks.revocation.history import Facet, History, Pair, Sighting
from tests.checks.revocation.lag import Lag
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.seats import Seat
from tests.journey.listening import Stream

PUSH_SECONDS = 1.0
"""A push starts at its authorising check, and its bytes leave within this (design, V2)."""


class Watcher:
    """Live streams of everybody, opened anew when they end, and the webhooks of their systems."""

    def __init__(self, urls: list[str], scene: Scene, history: History) -> None:
        self._urls, self._scene, self._history = urls, scene, history
        self._lag = Lag()
        self._wall = time.time() - time.monotonic()

    def subscribe(self) -> None:
        for guest in (*self._scene.guests, self._scene.residence.machine.guest):
            if guest.key.startswith("c:"):
                self._scene.subscribe(guest)

    def run(self, stop: threading.Event) -> None:
        threads = [
            threading.Thread(target=self._watch, args=(seat, self._urls[n % len(self._urls)], stop))
            for n, seat in enumerate(self._scene.people)
        ]
        threads.append(threading.Thread(target=self._lag.run, args=(stop,)))
        threads.append(threading.Thread(target=self._receive, args=(stop,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._scene.receiver.close()

    def _receive(self, stop: threading.Event) -> None:
        deliveries, taken = self._scene.receiver.deliveries, 0
        while not stop.wait(0.5) or taken < len(deliveries):
            for delivery in deliveries[taken:]:
                key = f"c:{delivery.path.rpartition('/')[2]}"
                self._pushed("webhook", key, delivery.event, delivery.at)
                taken += 1

    def _watch(self, seat: Seat, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            guest = seat.guest
            stream, taken = Stream(Api(url, guest.token)), 0
            while not stop.wait(0.5) and not stream.ended.is_set():
                taken += self._take(guest.key, stream, taken)
            stream.close()
            self._take(guest.key, stream, taken)

    def _take(self, key: str, stream: Stream, taken: int) -> int:
        frames = stream.frames[taken:]
        for frame in frames:
            self._pushed("stream", key, frame.data, frame.at)
        return len(frames)

    def _pushed(self, channel: str, key: str, event: Any, came: float) -> None:
        data = event.get("data", {})
        case_id, at = data.get("case_id"), came - self._wall
        if case_id not in self._scene.references:
            return
        made = self._scene.made.get(data.get("entry_id", ""))
        facet: Facet = "timeline" if event["type"].startswith("entry.") else "case"
        # How late this process noticed is not the product's doing.
        began = at - PUSH_SECONDS - self._lag.before(at)
        self._history.count(channel, 200, 0.0)
        self._history.saw(Sighting(Pair(key, case_id), channel, facet, began, at, made))
