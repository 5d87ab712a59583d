"""A primary is deposed, a share revoked by its successor's word; the guests ask just before it wakes up.

Left to chance this is rare; here it is made to happen, round after round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pymongo.errors import PyMongoError

from tests.checks.ground import Ground
from tests.checks.revocation.driver import Driver
from tests.checks.revocation.guests import Reader
from tests.checks.revocation.history import History
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.seats import Seat
from tests.checks.trouble import Trouble
from tests.waiting import until

ASKED_BEFORE = 1.0
"""Seconds before the old primary wakes up. Half of a request's life later it would be asked elsewhere."""
READERS = 12


class Deposing:
    """`file` is written to at the beginning of each round."""

    def __init__(self, on: Ground, scene: Scene, history: History, file: Path) -> None:
        self._scene, self._file = scene, file
        self._trouble = Trouble(on.cell, seed=1, acts=())
        self._driver = Driver(on.urls, scene, 0, history)
        self._readers = [
            Reader(on.urls[n % len(on.urls)], scene, Seat(scene.guests[n % len(scene.guests)]), history, n)
            for n in range(READERS)
        ]
        self._case = scene.cases[0]["id"]

    def round(self, number: int) -> None:
        self._file.write_text(str(number))
        share = self._driver.let_in(self._scene.guests)
        _end(self._ask())  # who believes, looks now
        with self._trouble.deposed() as old:
            until(lambda: self._elected(old), seconds=30)
            self._driver.revoke(share, self._scene.guests)
            asked = self._ask()
            time.sleep(ASKED_BEFORE)
        _end(asked)

    def _ask(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=reader.get, args=(self._case,)) for reader in self._readers]
        for thread in threads:
            thread.start()
        return threads

    def _elected(self, old: str) -> bool:
        with suppress(PyMongoError, LookupError):
            return self._trouble.primary() != old
        return False


def _end(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
