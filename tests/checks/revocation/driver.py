"""The owner: lets guests in and shuts them out, in every way that a share can be narrowed, and writes on."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from tests.checks.revocation.history import Facet, History, Pair, Turn
from tests.checks.revocation.scene import Guest, Scene, share_body
from tests.checks.wire import Answer, Line

ALL: frozenset[Facet] = frozenset({"case", "content", "timeline"})
SECTIONS = ["summary", "subjects", "timeline", "tasks"]
REST = (0.02, 0.25)
"""Seconds between one change and the next, at random."""
LONG_REST = (2.5, 3.5)
"""Now and then, while guests are shut out: what comes seconds late comes while it is forbidden."""
GIVE_UP = 60.0

Change = Callable[[], Answer]


class Lost(Exception):
    """Nobody can say how the case is shared: what is seen of it from now on proves nothing."""


class Driver:
    """Drives the shares of one case, in a thread of its own: turns of one case follow one another."""

    def __init__(self, urls: Sequence[str], scene: Scene, number: int, history: History) -> None:
        self._scene, self._history, self._random = scene, history, random.Random(number)
        self._line = Line(urls[number % len(urls)], str(scene.owner.token))
        self._guests = {guest.key: Line(urls[0], guest.token) for guest in scene.guests}
        self._case = scene.cases[number]["id"]
        self._path = f"/cases/{self._case}/shares"
        self.lost = False

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                guests = self._random.sample(self._scene.guests, self._random.choice((1, 2, 3)))
                share = self.let_in(guests)
                self._rest(REST)
                self._note()
                self._shut_out(share, guests)
                self._rest(LONG_REST if self._random.random() < 0.15 else REST, stop)
        except Lost:
            self.lost = True
        for line in (self._line, *self._guests.values()):
            line.close()

    def let_in(self, guests: Sequence[Guest]) -> str:
        """The share. It is asked for until it is there, under one key: it is made once. Raises Lost."""
        body = share_body(self._scene, [guest.member for guest in guests], level="contribute")
        key = uuid.uuid4().hex
        answer = self._until_done(
            guests, True, "grant", lambda: self._line.ask("POST", self._path, body, Idempotency_Key=key)
        )
        return str(answer.json()["id"])

    def _shut_out(self, share: str, guests: Sequence[Guest]) -> None:
        """In one of the ways, or in two after one another; at the end the share is gone."""
        way = self._random.choice(("revoke", "revoke", "member", "level", "section", "hand_back"))
        path = f"{self._path}/{share}"
        if way == "member" and len(guests) > 1:
            rest = {"members": [guest.member for guest in guests[1:]]}
            self._turn(guests[:1], False, ALL, way, lambda: self._patch(self._line, path, rest))
            self._note()
        elif way == "level":
            lost: frozenset[Facet] = frozenset({"content", "timeline"})
            self._turn(guests, False, lost, way, lambda: self._patch(self._line, path, {"level": "know"}))
            self._note()
        elif way == "section":
            sections = {"sections": [one for one in SECTIONS if one != "timeline"]}
            lost = frozenset({"timeline"})
            self._turn(guests, False, lost, way, lambda: self._patch(self._line, path, sections))
            self._note()
        elif way == "hand_back":
            line, ended = self._guests[guests[0].key], {"state": "revoked", "reason": "no_longer_needed"}
            self._turn(guests, False, ALL, way, lambda: self._patch(line, path, ended))
        if way != "revoke":
            self._rest(REST)
        self.revoke(share, guests)
        self._note()

    def revoke(self, share: str, guests: Sequence[Guest]) -> None:
        """Until it is done. Raises Lost."""
        gone = f"{self._path}/{share}?reason=no_longer_needed"
        self._until_done(guests, False, "revoke", lambda: self._line.ask("DELETE", gone))

    def _until_done(self, guests: Sequence[Guest], gives: bool, kind: str, change: Change) -> Answer:
        """A change that is harmless when it is repeated. Raises Lost."""
        give_up = time.monotonic() + GIVE_UP
        while time.monotonic() < give_up:
            answer = self._turn(guests, gives, ALL, kind, change)
            if 200 <= answer.status < 300:
                return answer
            time.sleep(0.1)
        raise Lost

    def _turn(
        self, guests: Sequence[Guest], gives: bool, facets: frozenset[Facet], kind: str, change: Change
    ) -> Answer:
        answer = change()
        done = 200 <= answer.status < 300
        self._history.count(kind, answer.status, answer.seconds)
        for guest in guests:
            pair = Pair(guest.key, self._case)
            self._history.turn(Turn(pair, gives, facets, answer.began, answer.ended, done))
        return answer

    def _patch(self, line: Line, path: str, body: Any) -> Answer:
        there = line.ask("GET", path)
        if there.status != 200:
            return there
        return line.ask("PATCH", path, body, If_Match=there.headers.get("etag", ""))

    def _note(self) -> None:
        """Write on: what is written while a guest is shut out must not reach it."""
        began = time.monotonic()
        body = {"type": "note", "occurred_at": "2026-11-01T09:00:00Z", "text": f"canary {began}"}
        answer = self._line.ask("POST", f"/cases/{self._case}/entries", body)
        self._history.count("owner's note", answer.status, answer.seconds)
        if answer.status == 201:
            self._scene.made[answer.json()["id"]] = began

    def _rest(self, span: tuple[float, float], stop: threading.Event | None = None) -> None:
        seconds = self._random.uniform(*span)
        if stop is None:
            time.sleep(seconds)
        else:
            stop.wait(seconds)
