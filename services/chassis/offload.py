"""Work that takes longer than 5 ms, done in threads so that the hub goes on (N10).

A hub that stands still for two heartbeats loses its connection, and its calls run again elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from eventlet import tpool
from eventlet.semaphore import Semaphore

from services.chassis import context
from services.contracts.errors import Busy

Result = TypeVar("Result")


class Offload:
    """At most `slots` pieces of work at once; one more waits `patience` seconds, at most to its deadline."""

    def __init__(self, slots: int, patience: float) -> None:
        self._free = Semaphore(slots)
        self._patience = patience

    def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """The result of `work(*arguments)`, from a thread. It MUST NOT touch sockets, locks or greenlets."""
        call = context.current()
        patience = self._patience if call is None else min(self._patience, call.deadline.left())
        if not self._free.acquire(timeout=max(0.0, patience)):
            raise Busy(cause="offload: no free thread")
        try:
            result: Result = tpool.execute(work, *arguments)
            return result
        finally:
            self._free.release()


# eventlet has 20 threads; two cores gain nothing from more than a few.
_heavy = Offload(slots=4, patience=1.0)
# An argon2 hash takes 64 MiB and all of a core.
_passwords = Offload(slots=2, patience=2.0)
_hasher = PasswordHasher()


def heavy(work: Callable[..., Result], *arguments: Any) -> Result:
    """`work(*arguments)` off the hub. Raises Busy."""
    return _heavy.run(work, *arguments)


def hash_password(password: str) -> str:
    """The argon2id hash (RFC 9106, its second recommended parameters) to be stored. Raises Busy."""
    return _passwords.run(_hasher.hash, password)


def verify_password(stored: str, password: str) -> bool:
    """Whether `password` is the one that was hashed. Raises Busy."""
    return _passwords.run(_matches, stored, password)


def outdated(stored: str) -> bool:
    """Whether a stored hash was made with other parameters than today's, and is to be made anew at log-in."""
    return _hasher.check_needs_rehash(stored)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
