"""The owner: lets guests in and shuts them out, in every way that a share can be narrowed, and writes on."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.checks.revocation.history import Facet, History, Pair, Turn
from tests.checks.revocation.scene import Guest, Scene, share_body
from tests.checks.wire import Answer, Line

ALL: frozenset[Facet] = frozenset({"case", "content", "timeline"})
SECTIONS = ["summary", "subjects", "timeline", "tasks"]
REST = (0.02, 0.25)
"""Seconds between one change and the next, at random."""

Change = Callable[[], Answer]


class Driver:
    """Drives the shares of one case, in a thread of its own: turns of one case follow one another."""

    def __init__(self, url: str, scene: Scene, case: Any, history: History, seed: int) -> None:
        self._scene, self._history, self._random = scene, history, random.Random(seed)
        self._line = Line(url, str(scene.owner.token))
        self._case = case["id"]
        self._path = f"/cases/{case['id']}/shares"

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            guests = self._random.sample(self._scene.guests, self._random.choice((1, 2, 3)))
            share = self._let_in(guests)
            if share is not None:
                self._rest()
                self._note()
                self._shut_out(share, guests)
                self._rest()
        self._line.close()

    def _let_in(self, guests: Sequence[Guest]) -> str | None:
        members = [guest.member for guest in guests]
        body = share_body(self._scene, members, level="contribute", sections=SECTIONS)
        answer = self._turn(
            guests, True, ALL, lambda: self._line.ask("POST", self._path, body), "grant", again=True
        )
        return str(answer.json()["id"]) if answer.status == 201 else self._found(body["note"])

    def _shut_out(self, share: str, guests: Sequence[Guest]) -> None:
        """In one of the ways, or in two after one another; at the end the share is gone."""
        way = self._random.choice(("revoke", "member", "level", "section", "hand_back"))
        path = f"{self._path}/{share}"
        if way == "member" and len(guests) > 1:
            rest = [guest.member for guest in guests[1:]]
            self._turn(guests[:1], False, ALL, lambda: self._patch(path, {"members": rest}), "member")
            self._note()
        elif way == "level":
            lost: frozenset[Facet] = frozenset({"content", "timeline"})
            self._turn(guests, False, lost, lambda: self._patch(path, {"level": "know"}), "level")
        elif way == "section":
            sections = [one for one in SECTIONS if one != "timeline"]
            lost = frozenset({"timeline"})
            self._turn(guests, False, lost, lambda: self._patch(path, {"sections": sections}), "section")
            self._note()
        self._rest()
        gone = f"{path}?reason=no_longer_needed"
        self._turn(guests, False, ALL, lambda: self._line.ask("DELETE", gone), "revoke", again=True)
        self._note()

    def _turn(
        self,
        guests: Sequence[Guest],
        gives: bool,
        facets: frozenset[Facet],
        change: Change,
        kind: str,
        *,
        again: bool = False,
    ) -> Answer:
        """One change. `again`: until it is answered; a share that is left standing would be nobody's."""
        give_up = time.monotonic() + 60
        while True:
            answer = change()
            self._history.count(kind, answer.status, answer.seconds)
            done = 200 <= answer.status < 300 or (kind == "revoke" and answer.status in {404, 409})
            # A giving that was not answered, or refused as in doubt, may have taken effect all the same.
            if gives or done:
                for guest in guests:
                    pair = Pair(guest.key, self._case)
                    self._history.turn(Turn(pair, gives, facets, answer.began, answer.ended, done))
            if done or not again or time.monotonic() > give_up or (gives and answer.status == 0):
                return answer
            time.sleep(0.1)

    def _patch(self, path: str, body: Any) -> Answer:
        there = self._line.ask("GET", path)
        tag = there.headers.get("etag", "")
        answer = self._line.ask("PATCH", path, body, If_Match=tag)
        return answer if there.status == 200 else there

    def _found(self, note: str) -> str | None:
        """The share whose making was not answered, if it was made."""
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            answer = self._line.ask("GET", f"{self._path}?limit=100")
            if answer.status == 200:
                active = (one for one in answer.json()["items"] if one["state"] == "active")
                return next((str(one["id"]) for one in active if one.get("note") == note), None)
            time.sleep(0.1)
        return None

    def _note(self) -> None:
        """Write on: what is written while a guest is shut out must not reach it."""
        began = time.monotonic()
        body = {"type": "note", "occurred_at": "2026-11-01T09:00:00Z", "text": f"canary {began}"}
        answer = self._line.ask("POST", f"/cases/{self._case}/entries", body)
        self._history.count("owner's note", answer.status, answer.seconds)
        if answer.status == 201:
            self._scene.made[answer.json()["id"]] = began

    def _rest(self) -> None:
        time.sleep(self._random.uniform(*REST))
