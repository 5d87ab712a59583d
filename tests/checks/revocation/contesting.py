"""Conflicts of interest and broken glass: narrowings that nobody takes back, so each has a case of its own.

A case is opened and shared with those at the residence; somebody breaks its glass; a conflict is declared
against the person who lives there, and the glass ends, by its time or because the owner takes it back.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from tests.checks.revocation.history import ALL, History, Pair, Turn
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.turning import Lost, good, note, turn, until_done
from tests.checks.wire import Answer, Line

GLASS_SECONDS = 2.0
"""That a glass stays broken here."""
WITH, WITHOUT = (0.4, 0.8), (1.0, 2.0)
_CASE: Mapping[str, Any] = MappingProxyType(
    {
        "template": "complex_asb",
        "title": "Contested",
        "priority": "low",
        "marking": "official_sensitive",
        "subjects": [],
        "summary": "Contested.",
    }
)


class Contesting:
    """In a thread of its own. `lost`: nobody can say any more what is given."""

    def __init__(self, url: str, scene: Scene, history: History) -> None:
        self._scene, self._history, self._random = scene, history, random.Random(3)
        self._seat = scene.residence.seat
        self._owner, self._breaker = Line(url, str(scene.owner.token)), Line(url, scene.breaker.token)
        self._person = Line(url, self._seat.guest.token)
        self.lost = False

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                case_id = self._opened()
                glass_id, until = self._broken(case_id)
                self._note(case_id)
                stop.wait(self._random.uniform(*WITH))
                self._declared(case_id)
                self._note(case_id)
                self._ended(case_id, glass_id, until, stop)
                self._note(case_id)
                stop.wait(self._random.uniform(*WITHOUT))
        except Lost:
            self.lost = True
        for line in (self._owner, self._breaker, self._person):
            line.close()

    def _opened(self) -> str:
        """Another case, that the person at the residence may see."""
        scene, key = self._scene, uuid.uuid4().hex
        body = {**_CASE, "owner_team_id": scene.owner_team}
        answer = until_done(
            self._history,
            (),
            "contested case",
            lambda: self._owner.ask("POST", "/cases", body, Idempotency_Key=key),
            gives=True,
        )
        case = answer.json()
        path = f"/cases/{case['id']}/shares"
        until_done(
            self._history,
            [Pair(self._seat.guest.key, case["id"])],
            "grant",
            # A new body and key each time: two shares do no harm, for the conflict comes before both.
            lambda: self._owner.ask("POST", path, scene.to_residents([self._seat.guest.member])),
            gives=True,
        )
        scene.contest(case)
        return str(case["id"])

    def _broken(self, case_id: str) -> tuple[str, float]:
        """The glass, and until when, on the monotonic clock. Asked again, it is broken again if it has ended
        meanwhile."""
        path, body = f"/cases/{case_id}/break-glass", {"reason": "check"}
        answer = until_done(
            self._history,
            [Pair(self._scene.breaker.key, case_id)],
            "glass",
            lambda: self._breaker.ask("POST", path, body, Access_Reason="safeguarding"),
            gives=True,
        )
        told = answer.json()
        until = datetime.fromisoformat(told["until"]).timestamp()
        return str(told["id"]), until - time.time() + time.monotonic()

    def _declared(self, case_id: str) -> None:
        """By the person itself or by the owner; by the owner too where nobody heard what came of it."""
        body = {"user_id": self._scene.residence.user_id, "kind": "neighbour", "reason": "check"}
        path, pair = f"/cases/{case_id}/conflicts", Pair(self._seat.guest.key, case_id)

        def declare(line: Line) -> Answer:
            answer = line.ask("POST", path, body)
            there = answer.status == 409 and answer.json()["code"] == "already_exists"
            return replace(answer, status=200) if there else answer

        guest = self._seat.guest
        self._person.hold(guest.token, guest.device)
        if self._random.random() < 0.5 and good(
            turn(self._history, [pair], "conflict", lambda: declare(self._person))
        ):
            return
        until_done(self._history, [pair], "conflict", lambda: declare(self._owner))

    def _ended(self, case_id: str, glass_id: str, until: float, stop: threading.Event) -> None:
        """By the owner, or when its time is over."""
        pair = Pair(self._scene.breaker.key, case_id)
        gone = f"/cases/{case_id}/shares/{glass_id}?reason=other"
        if self._random.random() < 0.5:
            turn(self._history, [pair], "glass", lambda: self._owner.ask("DELETE", gone))
        stop.wait(max(0.0, until - time.monotonic()))
        if time.monotonic() >= until:
            self._history.turn(Turn(pair, False, ALL, until, until, True, "glass"))

    def _note(self, case_id: str) -> None:
        note(self._history, self._scene.made, self._owner, case_id)
