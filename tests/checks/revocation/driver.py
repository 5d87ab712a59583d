"""The owner: lets guests in and shuts them out, in every way that a share can be narrowed, and writes on."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Sequence

from tests.checks.revocation.history import ALL, Facet, History, Pair
from tests.checks.revocation.scene import Scene, share_body
from tests.checks.revocation.seats import Guest
from tests.checks.revocation.turning import Lost, note, patch, turn, until_done
from tests.checks.wire import Line

WAYS = ("revoke", "revoke", "member", "less", "less", "hand_back")
SECTIONS = ("summary", "subjects", "timeline", "tasks")
TAKEN_WITH: dict[str, frozenset[Facet]] = {
    "know": ALL - {"case"},
    "task": ALL - {"case"},
    "read": frozenset({"writing"}),
    "timeline": frozenset({"timeline", "entries", "writing"}),
    "summary": frozenset({"summary"}),
}
"""What goes when a share that was at contribute comes to this level, or loses this section."""
REST = (0.02, 0.25)
"""Seconds between one change and the next, at random."""
PART_REST = (0.05, 0.5)
"""After a part was taken: the rest stays, and what was taken has to be asked for."""
LONG_REST = (2.5, 3.5)
"""Now and then, while guests are shut out: what comes seconds late comes while it is forbidden."""


class Driver:
    """Drives the shares of one case, in a thread of its own: turns of one case follow one another. `lost`:
    nobody can say any more how the case is shared."""

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
        answer = until_done(
            self._history,
            self._pairs(guests),
            "grant",
            lambda: self._line.ask("POST", self._path, body, Idempotency_Key=key),
            gives=True,
        )
        return str(answer.json()["id"])

    def _shut_out(self, share: str, guests: Sequence[Guest]) -> None:
        """In one of the ways, or in two after one another; at the end the share is gone."""
        way = self._random.choice(WAYS)
        if way == "member" and len(guests) > 1:
            self.without(share, guests)
        elif way == "less":
            self.less(share, guests, self._random.choice((*TAKEN_WITH, "timeline")))
        elif way == "hand_back":
            line, ended = self._guests[guests[0].key], {"state": "revoked", "reason": "no_longer_needed"}
            turn(self._history, self._pairs(guests), way, lambda: patch(line, f"{self._path}/{share}", ended))
        if way != "revoke":
            self._note()
            self._rest(PART_REST)
        self.revoke(share, guests)
        self._note()

    def without(self, share: str, guests: Sequence[Guest], kind: str = "member") -> None:
        """The share no longer names the first of them."""
        rest = {"members": [guest.member for guest in guests[1:]]}
        path = f"{self._path}/{share}"
        turn(self._history, self._pairs(guests[:1]), kind, lambda: patch(self._line, path, rest))

    def less(self, share: str, guests: Sequence[Guest], what: str, kind: str | None = None) -> None:
        """The share comes to a level, or loses a section: one of TAKEN_WITH."""
        section = what in SECTIONS
        body = {"sections": [one for one in SECTIONS if one != what]} if section else {"level": what}
        turn(
            self._history,
            self._pairs(guests),
            kind or ("section" if section else "level"),
            lambda: patch(self._line, f"{self._path}/{share}", body),
            facets=TAKEN_WITH[what],
        )

    def revoke(self, share: str, guests: Sequence[Guest], kind: str = "revoke") -> None:
        """Until it is done. Raises Lost."""
        gone = f"{self._path}/{share}?reason=no_longer_needed"
        until_done(self._history, self._pairs(guests), kind, lambda: self._line.ask("DELETE", gone))

    def _pairs(self, guests: Sequence[Guest]) -> list[Pair]:
        return [Pair(guest.key, self._case) for guest in guests]

    def _note(self) -> None:
        note(self._history, self._scene.made, self._line, self._case)

    def _rest(self, span: tuple[float, float], stop: threading.Event | None = None) -> None:
        seconds = self._random.uniform(*span)
        if stop is None:
            time.sleep(seconds)
        else:
            stop.wait(seconds)
