"""The procedure: a new version shuts everybody out until they have signed it, each by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from deploy.demo.partnership import PROCEDURE
from tests.checks.revocation.history import History
from tests.checks.revocation.scene import Scene
from tests.checks.revocation.turning import everywhere, good, until_done
from tests.checks.wire import Answer, Line


class Signing:
    def __init__(self, scene: Scene, history: History) -> None:
        self._scene, self._history = scene, history

    def publish(self) -> None:
        """To be signed at once. Raises Lost."""
        now, key = datetime.now(UTC) - timedelta(seconds=1), uuid.uuid4().hex
        body = {**PROCEDURE, "effective_from": now.isoformat(), "sign_by": now.isoformat()}
        line = Line(self._scene.on.url, str(self._scene.manager.token))
        everybody = [key for _, keys in self._readers() for key in keys]
        until_done(
            self._history,
            everywhere(*everybody),
            "procedure",
            lambda: line.ask("POST", "/procedures", body, Idempotency_Key=key),
        )
        line.close()

    def staff_signs(self) -> None:
        """Who reads nothing here, and without whom nothing goes on. Raises Lost."""
        scene, residence = self._scene, self._scene.residence
        for api in (scene.manager, scene.owner, scene.administrator):
            self._signed(Line(scene.on.url, str(api.token)), ())
        for line in (residence.operator, residence.administrator):
            self._signed(line, ())

    def readers_sign(self) -> None:
        """Raises Lost."""
        for token, keys in self._readers():
            self._signed(Line(self._scene.on.url, token), keys)

    def _readers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The session of each, and whom its signature lets in: the systems for which it answers as well."""
        scene, (first, *others) = self._scene, self._scene.guests
        systems = tuple(guest.key for guest in others if guest.key.startswith("c:"))
        yield first.token, (first.key, *systems)
        for guest in (*others, scene.member, scene.breaker):
            if guest.key.startswith("u:"):
                yield guest.token, (guest.key,)
        yield scene.residence.seat.guest.token, scene.residence.keys

    def _signed(self, line: Line, keys: tuple[str, ...]) -> None:
        def sign() -> Answer:
            current = line.ask("GET", "/procedures/current")
            if not good(current):
                return current
            body = {name: current.json()[name] for name in ("version", "sha256")}
            return line.ask("POST", "/procedures/current/signatures", body)

        until_done(self._history, everywhere(*keys), "procedure", sign, gives=True)
        line.close()
