"""Pages that are full, though some of what is read for them must not be shown: a page that is short, or one
after it that is empty, would tell that there is something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Row = TypeVar("Row")
Place = TypeVar("Place")
AT_ONCE = 500
TURNS = 20
"""Reads for one page at most: a request has its time. Only behind 9,500 in a row that are all kept from the
reader a page is short."""


def fill(
    read: Callable[[Place | None, int], list[Row]],
    keep: Callable[[list[Row]], list[Row]],
    place: Callable[[Row], Place],
    limit: int,
    after: Place | None,
) -> tuple[list[Row], Place | None]:
    """One more than `limit` of what `keep` leaves, if there are so many; and where to go on from, if it had
    to stop before that.

    `read` gives so many after a place, fewer at the end alone. It is one read where everything is shown.
    """
    kept, size = list[Row](), limit + 1
    for _ in range(TURNS):
        found = read(after, size)
        kept += keep(found)
        if len(kept) > limit or len(found) < size:
            return kept[: limit + 1], None
        after, size = place(found[-1]), AT_ONCE
    return kept, after


def cut(
    rows: list[Row], left: Place | None, place: Callable[[Row], Place], limit: int
) -> tuple[list[Row], Place | None]:
    """The page, and where the next one begins, if there is one."""
    return (rows[:limit], place(rows[limit - 1])) if len(rows) > limit else (rows, left)
