"""How much of a page goes into one answer: texts are long, messages are bounded (`payload.BODY_LIMIT`).

A page may be shorter than its limit and still have a next one; one item always fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

ROOM = 400_000
"""Bytes of texts in one list: the page of a case has two lists."""


def fitting(items: Sequence[Any]) -> int:
    """How many of the items, from the first, have room together; at least one. An item is what of it may be
    long, as a JSON value."""
    left = ROOM
    for number, item in enumerate(items):
        left -= _size(item)
        if left < 0:
            return max(number, 1)
    return max(len(items), 1)


def _size(item: Any) -> int:
    """In bytes, as it is written: a sign takes up to four of them, an escaped one six."""
    return len(json.dumps(item, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))


def total(items: Iterable[Any]) -> int:
    """The bytes of all of them."""
    return sum(_size(item) for item in items)
