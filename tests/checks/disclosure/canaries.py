"""Words that stand nowhere else, one in each field: where one turns up, that field was disclosed.

KANARI5f2e-title-000012     the run, the field, the number
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Canary:
    """One seeded field: of which object, in which section of which case."""

    word: str
    case_id: str | None
    kind: str
    section: str | None


@dataclass
class Aviary:
    """Makes canaries and finds them again."""

    run: str = field(default_factory=lambda: f"KANARI{secrets.token_hex(2)}")
    known: dict[str, Canary] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def word(self, kind: str) -> str:
        """A new one, which belongs to nothing yet."""
        with self._lock:
            return f"{self.run}-{kind}-{next(self._numbers):06d}"

    def seed(self, word: str, kind: str, *, case_id: str | None = None, section: str | None = None) -> None:
        with self._lock:
            self.known[word] = Canary(word, case_id, kind, section)

    def found_in(self, body: bytes) -> list[Canary]:
        """Every seeded word in an answer, or in part of one."""
        words = set(re.findall(rf"{self.run}-[a-z_]+-\d{{6}}".encode(), body))
        with self._lock:
            return [found for word in words if (found := self.known.get(word.decode())) is not None]

    @property
    def trace(self) -> bytes:
        """What all of them have in common."""
        return self.run.encode()
