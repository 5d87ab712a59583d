"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(look: Callable[[], Value | None], seconds: float = 10.0, every: float = 0.02) -> Value:
    """Return the first true value that `look` gives; fail after `seconds`."""
    give_up = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(every)
