"""Continuing a list where the last part of it ended: by the key that it is sorted by, and the id."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from services.chassis.mongo import Document, in_time
from services.contracts.errors import Malformed

Thing = TypeVar("Thing")


def page_by_name(
    rows: Collection[Document],
    wanted: Document,
    key: str,
    *,
    limit: int,
    cursor: str | None,
    make: Callable[[Document], Thing],
    projection: Document | None = None,
) -> tuple[list[Thing], str | None]:
    """One part of what is `wanted`, by `key` and then id, and the cursor of the next.

    The cursor holds the id of the last row alone: names are no business of URLs.
    """
    after = _after(rows, key, cursor)
    with in_time():
        found = list(
            rows.find({**wanted, **after}, projection)
            .sort([(key, ASCENDING), ("_id", ASCENDING)])
            .limit(limit + 1)
        )
    return _cut(found, limit, make)


def page_newest_first(
    rows: Collection[Document],
    wanted: Document,
    *,
    limit: int,
    cursor: str | None,
    make: Callable[[Document], Thing],
    read: Callable[[str], Any] = str,
) -> tuple[list[Thing], str | None]:
    """The same by descending id: ids are made in the order of time."""
    after: Document = {} if cursor is None else {"_id": {"$lt": read_cursor(cursor, read)}}
    with in_time():
        found = list(rows.find({**wanted, **after}).sort("_id", DESCENDING).limit(limit + 1))
    return _cut(found, limit, make)


def cursor_of(last: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=")


def read_cursor(cursor: str, read: Callable[[str], Any] = str) -> Any:
    """Raises Malformed for what this service did not make."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        # Ids need no escapes; one for half a character is nothing that the database takes.
        return read(json.loads(text)) if "\\" not in text else _not_ours()
    except (ValueError, TypeError, OverflowError):
        raise Malformed(cause="cursor") from None


def _not_ours() -> NoReturn:
    raise ValueError("escapes")


def _after(rows: Collection[Document], key: str, cursor: str | None) -> Document:
    if cursor is None:
        return {}
    last = read_cursor(cursor)
    with in_time():
        row = rows.find_one({"_id": last}, {key: True})
    if row is None:
        raise Malformed(cause="cursor: unknown row")
    return {"$or": [{key: {"$gt": row[key]}}, {key: row[key], "_id": {"$gt": last}}]}


def _cut(
    found: Sequence[Document], limit: int, make: Callable[[Document], Thing]
) -> tuple[list[Thing], str | None]:
    more = len(found) > limit
    kept = found[:limit]
    return [make(row) for row in kept], cursor_of(kept[-1]["_id"]) if more else None
