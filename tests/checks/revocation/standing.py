"""Takes from those at the residence what one needs beside a share, one thing after another, and gives it
back.

No list of a case changes by it, so no fence tells the holders: who asks is what is judged anew.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx
from pymongo.errors import PyMongoError

from deploy.demo.api import Refusal
from tests.checks.revocation.history import ALL, BY_STANDING, Facet, History
from tests.checks.revocation.residence import YEAR, later
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.signing import Signing
from tests.checks.revocation.turning import (
    AGAIN,
    GIVE_UP,
    Change,
    Lost,
    everywhere,
    patch,
    until_done,
)
from tests.checks.wire import Line

WITH = (0.3, 0.8)
WITHOUT = (0.5, 1.2)
LONG_WITHOUT = (2.3, 2.8)
"""Now and then: what comes seconds late comes while it is forbidden."""
RARE = frozenset({"agency", "procedure"})
"""They keep many from working, or cost many log-ins: in every second round."""
BEHIND_A_BAR: frozenset[Facet] = ALL - {"case", "timeline"}
"""What goes with the device: the case may still be known of, and events, which are thin, are told."""

Made = TypeVar("Made")


class Standing:
    """In a thread of its own. `lost`: nobody can say any more what is given."""

    def __init__(self, scene: Scene, history: History, only: Collection[str] = BY_STANDING) -> None:
        """`only`: these kinds, which are looked for; else all."""
        self._only = only
        self._scene, self._history, self._random = scene, history, random.Random(9)
        self._home, self._signing = scene.residence, Signing(scene, history)
        self._user = f"/users/{scene.residence.user_id}"
        self._stop = threading.Event()
        self._clients = 0
        self.lost = False

    def run(self, stop: threading.Event) -> None:
        ways = {
            "account": self._account,
            "agency": self._agency,
            "procedure": self._procedure,
            "role": self._role,
            "device": self._device,
            "protocol": self._protocol,
            "client": self._client,
        }
        names, number, self._stop = [name for name in ways if name in self._only], 0, stop
        try:
            while not stop.is_set():
                for name in names:
                    if not stop.is_set() and not (self._rests(name) and number % 2):
                        stop.wait(self._random.uniform(*WITH))
                        ways[name]()
                number += 1
                self._random.shuffle(names)
        except Lost:
            self.lost = True

    def _rests(self, name: str) -> bool:
        """In every second round."""
        return name in RARE and self._only == BY_STANDING

    def _account(self) -> None:
        """The system, for which this person answers, goes with it."""
        line, keys = self._home.administrator, self._home.keys
        self._take("account", keys, lambda: patch(line, self._user, {"state": "disabled"}))
        self._give("account", keys, lambda: patch(line, self._user, {"state": "active"}))
        _patiently(self._home.log_in_person)

    def _role(self) -> None:
        line, key = self._home.administrator, self._home.seat.guest.key
        role = {"role": "practitioner"}
        self._take("role", [key], lambda: patch(line, self._user, {"roles": [{**role, "ends_on": _ago()}]}))
        self._give("role", [key], lambda: patch(line, self._user, {"roles": [role]}))

    def _device(self) -> None:
        line, key = self._home.administrator, self._home.seat.guest.key
        path = f"/devices/{self._home.device_id}"
        self._take("device", [key], lambda: patch(line, path, {"state": "revoked"}), BEHIND_A_BAR)
        self._give("device", [key], self._home.new_device)

    def _protocol(self) -> None:
        """By its state, or by the calendar."""
        line, path, keys = self._home.operator, f"/protocols/{self._home.protocol_id}", self._home.keys
        if self._random.random() < 0.5:
            self._take("protocol", keys, _move(line, path, "expired"))
            self._give("protocol", keys, _move(line, path, "active"))
            return
        further = (datetime.now(UTC).date() + YEAR).isoformat()
        self._take("protocol", keys, lambda: patch(line, path, {"ends_on": _ago()}))
        self._give("protocol", keys, lambda: patch(line, path, {"ends_on": further}))

    def _agency(self) -> None:
        line, path, keys = self._home.operator, f"/agencies/{self._home.agency_id}", self._home.keys
        self._take("agency", keys, _move(line, path, "suspended"))
        self._give("agency", keys, _move(line, path, "active"))
        _patiently(self._home.log_in)

    def _client(self) -> None:
        """It runs out, or is deleted and another takes its place."""
        line, key = self._home.administrator, self._home.machine.guest.key
        path = f"/clients/{self._home.machine.guest.member['client_id']}"
        self._clients += 1
        if self._clients % 2:
            over, further = later(-timedelta(minutes=1)), later(YEAR / 2)
            self._take("client", [key], lambda: patch(line, path, {"expires_at": over}))
            self._give("client", [key], lambda: patch(line, path, {"expires_at": further}))
            return
        deletion = uuid.uuid4().hex
        self._take("client", [key], lambda: line.ask("DELETE", path, Idempotency_Key=deletion))
        made = _patiently(self._home.new_client)
        _patiently(lambda: self._home.replace_machine(made))
        _patiently(self._scene.name_machine)
        _patiently(lambda: self._scene.subscribe(self._home.machine.guest))

    def _procedure(self) -> None:
        """Of everybody, here and elsewhere."""
        self._signing.publish()
        self._signing.staff_signs()
        self._rest()
        self._signing.readers_sign()

    def _take(self, kind: str, keys: Iterable[str], change: Change, facets: frozenset[Facet] = ALL) -> None:
        until_done(self._history, everywhere(*keys), kind, change, facets=facets)
        self._rest()

    def _give(self, kind: str, keys: Iterable[str], change: Change) -> None:
        until_done(self._history, everywhere(*keys), kind, change, gives=True)

    def _rest(self) -> None:
        self._stop.wait(self._random.uniform(*(LONG_WITHOUT if self._random.random() < 0.15 else WITHOUT)))


def _move(line: Line, path: str, to: str) -> Change:
    """Under one key, however often it is asked for."""
    body, key = {"to": to, "reason": "check"}, uuid.uuid4().hex
    return lambda: line.ask("POST", f"{path}/transitions", body, Idempotency_Key=key)


def _ago() -> str:
    return (datetime.now(UTC).date() - timedelta(days=2)).isoformat()


def _patiently(act: Callable[[], Made]) -> Made:
    """Until it is not refused any more. Raises Lost."""
    give_up = time.monotonic() + GIVE_UP
    while time.monotonic() < give_up:
        try:
            return act()
        except (Refusal, PyMongoError, httpx.HTTPError, OSError, LookupError):
            time.sleep(AGAIN)
    raise Lost
