"""The keys that sign the log, for the recorder alone. `keys.py` writes their file, and says where it is."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nameko.extensions import DependencyProvider

from services.chassis.bus import Bus
from services.chassis.keys import log_file


@dataclass(frozen=True, slots=True)
class LogKey:
    """One key; `since` and `until` are unix seconds."""

    key: Ed25519PrivateKey
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class LogKeys:
    """`origin` is the name of the log and of its keys. Keys whose time is over stay: what they signed is
    checked with them still."""

    origin: str
    keys: tuple[LogKey, ...]

    def current(self, now: float | None = None) -> Ed25519PrivateKey:
        """The newest that has begun and not ended. Raises LookupError."""
        now = time.time() if now is None else now
        usable = [key for key in self.keys if key.since <= now and (key.until is None or now < key.until)]
        if not usable:
            raise LookupError("no key of the log is in force")
        return max(usable, key=lambda key: key.since).key


def read(folder: Path, origin: str) -> LogKeys:
    """Raises OSError or ValueError: without its keys the recorder does not start."""
    rows: list[dict[str, Any]] = json.loads(log_file(folder).read_text(encoding="utf-8"))
    return LogKeys(origin, tuple(_key(row) for row in rows))


def _key(row: dict[str, Any]) -> LogKey:
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(row["key"], validate=True))
    return LogKey(private, float(row["from"]), None if row["until"] is None else float(row["until"]))


class SigningKeys(DependencyProvider):  # type: ignore[misc]
    """Gives the recorder its `LogKeys`, read when the process starts."""

    bus = Bus()

    def setup(self) -> None:
        self._keys = read(self.bus.settings.keys_dir, self.bus.settings.log_origin)

    def get_dependency(self, worker_ctx: object) -> LogKeys:
        return self._keys
