"""The guests' administrator: puts somebody into a team that the cases are shared with, and takes it out.

The other way to lose access: no share changes, so no list and no fence tells the holders of it.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from tests.checks.revocation.driver import ALL, GIVE_UP
from tests.checks.revocation.history import History, Pair, Turn
from tests.checks.revocation.scene import Scene
from tests.checks.wire import Answer, Line

REST = (0.3, 1.5)


class Mover:
    """In a thread of its own. `lost`: nobody can say any more whether the member is in the team."""

    def __init__(self, url: str, scene: Scene, history: History) -> None:
        self._scene, self._history, self._random = scene, history, random.Random(5)
        self._line = Line(url, str(scene.administrator.token))
        self._path = f"/users/{scene.member.member['user_id']}"
        self.lost = False

    def run(self, stop: threading.Event) -> None:
        teams = self._scene.member_teams
        while not stop.is_set() and not self.lost:
            self._move(True, [*teams, self._scene.team_id])
            stop.wait(self._random.uniform(*REST))
            self._move(False, teams)
            stop.wait(self._random.uniform(*REST))
        self._line.close()

    def _move(self, gives: bool, teams: list[str]) -> None:
        give_up = time.monotonic() + GIVE_UP
        while time.monotonic() < give_up:
            answer = self._patch({"team_ids": teams})
            done = 200 <= answer.status < 300
            self._history.count("team", answer.status, answer.seconds)
            for case_id in self._scene.references:
                pair = Pair(self._scene.member.key, case_id)
                self._history.turn(Turn(pair, gives, ALL, answer.began, answer.ended, done))
            if done:
                return
            time.sleep(0.1)
        self.lost = True

    def _patch(self, body: Any) -> Answer:
        there = self._line.ask("GET", self._path)
        if there.status != 200:
            return there
        return self._line.ask("PATCH", self._path, body, If_Match=there.headers.get("etag", ""))
