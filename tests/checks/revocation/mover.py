"""The guests' administrator: puts somebody into a team that the cases are shared with, and takes it out.

The other way to lose access: no share changes, so no list and no fence tells the holders of it.
"""

from __future__ import annotations

import random
import threading

from tests.checks.revocation.history import History
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.turning import Lost, everywhere, patch, until_done
from tests.checks.wire import Line

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
        try:
            while not stop.is_set():
                self._move([*teams, self._scene.team_id], gives=True)
                stop.wait(self._random.uniform(*REST))
                self._move(teams, gives=False)
                stop.wait(self._random.uniform(*REST))
        except Lost:
            self.lost = True
        self._line.close()

    def _move(self, teams: list[str], *, gives: bool) -> None:
        until_done(
            self._history,
            everywhere(self._scene.member.key),
            "team",
            lambda: patch(self._line, self._path, {"team_ids": teams}),
            gives=gives,
        )
