"""A service's view of the key folder: its own private keys and everybody's public ones, re-read when they
change.

`public.json` is {service: [{kid, key, from, until}]}, `<service>/private.json` the same without the outer
name; `key` is base64 of the 32 raw bytes, `from` and `until` are unix seconds (until may be null). `keys.py`
writes both.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from services.chassis.logs import log

KID_SIZE = 4
"""Bytes; a kid is their hex."""
LOOK_EVERY = 2.0
"""Seconds between looks at the files' times. A rotation starts using a new key only after every process has
looked."""

Key = TypeVar("Key")
_Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Dated:
    kid: str
    raw: bytes
    since: float
    until: float | None

    def valid(self, now: float) -> bool:
        """An opener accepts a key from the start: its clock may be behind."""
        return self.until is None or now < self.until


class KeyFolder:
    """Raises LookupError for keys that are not there, or no longer valid."""

    def __init__(self, folder: Path, name: str) -> None:
        self._public_file = folder / "public.json"
        self._private_file = folder / name / "private.json"
        self._looked_at = 0.0
        self._settled_from = self._settled_until = 0.0
        self._stamp: tuple[_Stamp, _Stamp] | None = None
        self._own: dict[str, tuple[_Dated, X25519PrivateKey]] = {}
        self._public: dict[str, dict[str, tuple[_Dated, X25519PublicKey]]] = {}
        self._own_current: tuple[str, X25519PrivateKey] | None = None
        self._current: dict[str, tuple[str, X25519PublicKey]] = {}
        self._look(time.time())

    def own_current(self) -> tuple[str, X25519PrivateKey]:
        self._refresh()
        if self._own_current is None:
            raise LookupError("no private key")
        return self._own_current

    def current(self, peer: str) -> tuple[str, X25519PublicKey]:
        self._refresh()
        return self._current[peer]

    def own_private(self, kid: str) -> X25519PrivateKey:
        self._refresh()
        dated, key = self._own[kid]
        _must_be_valid(dated)
        return key

    def public(self, peer: str, kid: str) -> X25519PublicKey:
        self._refresh()
        dated, key = self._public[peer][kid]
        _must_be_valid(dated)
        return key

    def own_private_keys(self) -> list[tuple[str, X25519PrivateKey]]:
        """All that are valid, by kid, the current one first."""
        self._refresh()
        return _newest_first(self._own)

    def public_keys(self, peer: str) -> list[tuple[str, X25519PublicKey]]:
        """All that are valid, by kid, the current one first; none for an unknown peer."""
        self._refresh()
        return _newest_first(self._public.get(peer, {}))

    def settled_until(self) -> float:
        """Until when (unix seconds) what was worked out of these keys holds: another number, other keys.

        The next look at the files, or before it the end or the beginning of a key.
        """
        self._refresh()
        now = time.time()
        if not self._settled_from <= now < self._settled_until:
            dated = [found for found, _ in self._own.values()]
            dated += [found for keys in self._public.values() for found, _ in keys.values()]
            turns = [one for found in dated for one in (found.since, found.until) if one and one > now]
            self._settled_from = now
            self._settled_until = min([self._looked_at + LOOK_EVERY, *turns])
        return self._settled_until

    def _refresh(self) -> None:
        """A file that is gone or spoilt while we run changes nothing: the keys last read are still good."""
        now = time.time()
        if self._looked_at <= now < self._looked_at + LOOK_EVERY:
            return
        try:
            self._look(now)
        except (
            Exception
        ) as problem:  # whatever the files hold: not JSON, other shapes, numbers beyond a float
            log.error("keys_not_read", exc_info=problem)
            self._choose(now)

    def _look(self, now: float) -> None:
        self._looked_at, self._settled_until = now, 0.0
        stamp = (_stamp(self._public_file), _stamp(self._private_file))
        if stamp != self._stamp:
            own = _read(json.loads(self._private_file.read_text()))
            public = {peer: _read(keys) for peer, keys in json.loads(self._public_file.read_text()).items()}
            own_keys = {d.kid: (d, X25519PrivateKey.from_private_bytes(d.raw)) for d in own}
            public_keys = {
                peer: {d.kid: (d, X25519PublicKey.from_public_bytes(d.raw)) for d in dated}
                for peer, dated in public.items()
            }
            self._own, self._public, self._stamp = own_keys, public_keys, stamp
        self._choose(now)

    def _choose(self, now: float) -> None:
        self._own_current = _current(self._own, now)
        self._current = {
            peer: found for peer, keys in self._public.items() if (found := _current(keys, now)) is not None
        }


def _stamp(file: Path) -> _Stamp:
    """Changes whenever the file is replaced, even twice within one tick of its clock."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns


def _must_be_valid(dated: _Dated) -> None:
    if not dated.valid(time.time()):
        raise LookupError("a key past its time")


def _read(rows: list[dict[str, Any]]) -> list[_Dated]:
    return [_dated(row) for row in rows]


def _dated(row: dict[str, Any]) -> _Dated:
    kid, until = row["kid"], row["until"]
    if len(bytes.fromhex(kid)) != KID_SIZE or kid != kid.lower():
        raise ValueError("a kid is 8 small hex digits")
    raw = base64.b64decode(row["key"], validate=True)
    return _Dated(kid, raw, float(row["from"]), None if until is None else float(until))


def _current(keys: dict[str, tuple[_Dated, Key]], now: float) -> tuple[str, Key] | None:
    """The newest key that has begun and has not ended."""
    usable = [
        (dated.since, kid) for kid, (dated, _) in keys.items() if dated.since <= now and dated.valid(now)
    ]
    if not usable:
        return None
    _, kid = max(usable)
    return kid, keys[kid][1]


def _newest_first(keys: dict[str, tuple[_Dated, Key]]) -> list[tuple[str, Key]]:
    """Those in use, the current first; one that has not begun comes last."""
    now = time.time()
    valid = [(dated.since <= now, dated.since, dated.kid) for dated, _ in keys.values() if dated.valid(now)]
    return [(kid, keys[kid][1]) for *_, kid in sorted(valid, reverse=True)]
