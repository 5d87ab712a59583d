"""Words that stand nowhere else, one in each field: where one turns up, that field was disclosed.

KANARI5f2e-title-000012     the run, the field, the number
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

Home = tuple[str, str | None]
"""A thing (case, subject, link) and the section of it in which a word stands; None: it has none."""

_LINKS = re.compile(rb"""(?:href|action|src|hx-[a-z]+)\\?["']?\s*[=:]\s*\\?["']([^"'>]*)""")
_CURSORS = re.compile(rb'"next"\s*:\s*"([^"]+)"|cursor=([\w-]+)')


@dataclass(frozen=True, slots=True)
class Canary:
    """One seeded field. An entry that names any of its homes tells of its disclosure."""

    word: str
    homes: tuple[Home, ...] = ()

    @property
    def kind(self) -> str:
        return self.word.split("-")[1]


@dataclass
class Aviary:
    """Makes canaries and finds them again."""

    run: str = field(default_factory=lambda: f"KANARI{secrets.token_hex(2)}")
    _homes: dict[str, tuple[Home, ...]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def word(self, kind: str, *homes: Home) -> str:
        """A new one. Its homes may be told later: things get their ids when they are made."""
        with self._lock:
            word = f"{self.run}-{kind}-{next(self._numbers):06d}"
            self._homes[word] = homes
        return word

    def settle(self, word: str, *homes: Home) -> None:
        with self._lock:
            self._homes[word] = (*self._homes[word], *homes)

    def canary(self, word: str) -> Canary:
        """With the homes that are known by now."""
        with self._lock:
            return Canary(word, self._homes[word])

    def found_in(self, body: bytes) -> tuple[str, ...]:
        """Every word in an answer, or in part of one, once."""
        words = {found.decode() for found in re.findall(rb"%s-[a-z_]+-\d{6}" % self.trace, body)}
        with self._lock:
            return tuple(sorted(words & self._homes.keys()))

    def in_addresses(self, body: bytes, headers: dict[str, str]) -> bool:
        """Whether one stands where addresses are made: in links, in cursors, in headers."""
        places = [" ".join(headers.values()).encode(), *_LINKS.findall(body)]
        return any(self.trace in unquote_to_bytes(place) for place in (*places, *_cursors(body)))

    @property
    def trace(self) -> bytes:
        """What all of them have in common."""
        return self.run.encode()


def _cursors(body: bytes) -> Iterator[bytes]:
    for pair in _CURSORS.findall(body):
        cursor = max(pair, key=len)
        try:
            yield base64.urlsafe_b64decode(cursor + b"=" * (-len(cursor) % 4))
        except binascii.Error:
            yield cursor
