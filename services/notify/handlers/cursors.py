"""Where a list goes on: opaque to everybody else."""

from __future__ import annotations

import base64
import re

from services.contracts.errors import Malformed

_MADE_HERE = re.compile(r"[0-9a-f-]{1,40}")


def cursor_of(place: str | int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def place_of(cursor: str | None) -> str | None:
    """An id or a number in text. Raises Malformed for what was not made here."""
    if cursor is None:
        return None
    try:
        place = base64.urlsafe_b64decode(cursor.encode()).decode("ascii")
    except ValueError:
        raise Malformed(cause="cursor") from None
    if not _MADE_HERE.fullmatch(place):
        raise Malformed(cause="cursor")
    return place


def number_of(cursor: str | None) -> int | None:
    """As `place_of`, for a list in the order of numbers."""
    place = place_of(cursor)
    if place is not None and (not place.isdigit() or len(place) > 18):
        raise Malformed(cause="cursor")
    return None if place is None else int(place)
