"""The recorder's own keys: what signs the log, and what wraps the keys of its details.

`keys.py` writes their files, and says where they are. They are read anew when they have changed, so that a
rotation needs no restart.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nameko.extensions import DependencyProvider

from services.chassis.bus import Bus
from services.chassis.keys import details_file, log_file
from services.chassis.logs import log
from services.chassis.stored import Stored

Read = TypeVar("Read")


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

    def in_force(self, now: float | None = None) -> tuple[Ed25519PrivateKey, ...]:
        """All that sign now, the newest first: during an overlap the old one as well, for readers who do not
        have the new one yet."""
        now = time.time() if now is None else now
        usable = [key for key in self.keys if key.since <= now and (key.until is None or now < key.until)]
        return tuple(key.key for key in sorted(usable, key=lambda key: -key.since))

    def current(self, now: float | None = None) -> Ed25519PrivateKey:
        """The newest that has begun and not ended. Raises LookupError."""
        usable = self.in_force(now)
        if not usable:
            raise LookupError("no key of the log is in force")
        return usable[0]


@dataclass(frozen=True, slots=True)
class WrappingKeys:
    """By kid, the AES-256 keys that wrap; (kid, from) of each, for the choice of the current."""

    keys: Mapping[str, bytes]
    begins: tuple[tuple[float, str], ...]

    def current(self, now: float | None = None) -> tuple[str, bytes]:
        """The newest that has begun. Raises LookupError."""
        now = time.time() if now is None else now
        kids = [kid for since, kid in sorted(self.begins) if since <= now]
        if not kids:
            raise LookupError("no key wraps details yet")
        return kids[-1], self.keys[kids[-1]]


def read(folder: Path, origin: str) -> LogKeys:
    """Raises OSError or ValueError: without its keys the recorder does not start."""
    rows: list[dict[str, Any]] = json.loads(log_file(folder).read_text(encoding="utf-8"))
    return LogKeys(origin, tuple(_key(row) for row in rows))


def read_wrapping(folder: Path) -> WrappingKeys:
    """Raises OSError or ValueError: without them the recorder does not start."""
    rows: list[dict[str, Any]] = json.loads(details_file(folder).read_text(encoding="utf-8"))
    keys = {str(row["kid"]): base64.b64decode(row["key"], validate=True) for row in rows}
    if any(len(key) != 32 for key in keys.values()):
        raise ValueError("a key that wraps details has 32 bytes")
    return WrappingKeys(keys, tuple((float(row["from"]), str(row["kid"])) for row in rows))


class Watched(Generic[Read]):
    """What a file holds, read anew once the file is another. What cannot be read then is logged, and what was
    read before stays in use."""

    def __init__(self, file: Path, read: Callable[[], Read]) -> None:
        self._file, self._read = file, read
        self._seen = self._stamp()
        self._found = read()

    def __call__(self) -> Read:
        try:
            stamp = self._stamp()
            if stamp != self._seen:
                self._found, self._seen = self._read(), stamp
        except (OSError, ValueError, KeyError) as problem:
            log.error("keys_not_read", reason=type(problem).__name__)
        return self._found

    def _stamp(self) -> tuple[int, int]:
        found = self._file.stat()
        return found.st_mtime_ns, found.st_ino


def _key(row: dict[str, Any]) -> LogKey:
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(row["key"], validate=True))
    return LogKey(private, float(row["from"]), None if row["until"] is None else float(row["until"]))


class SigningKeys(DependencyProvider):  # type: ignore[misc]
    """Gives the recorder its `LogKeys`, as they are now."""

    bus = Bus()

    def setup(self) -> None:
        folder, origin = self.bus.settings.keys_dir, self.bus.settings.log_origin
        self._keys = Watched(log_file(folder), lambda: read(folder, origin))

    def get_dependency(self, worker_ctx: object) -> LogKeys:
        return self._keys()


class StoredSealed(Stored):
    """A store of what is kept encrypted: it is made with a way to the keys that wrap, too."""

    bus = Bus()

    def make(self, make: Callable[..., Any]) -> Any:
        folder = self.bus.settings.keys_dir
        return make(self.store.database, Watched(details_file(folder), lambda: read_wrapping(folder)))
