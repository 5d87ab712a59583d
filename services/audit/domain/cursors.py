"""Cursors of the log's lists: where to go on, without anything that tells of anybody."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

from services.contracts.errors import Malformed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 2**53


def write(*numbers: int) -> str:
    return base64.urlsafe_b64encode(".".join(map(str, numbers)).encode()).decode()


def read(cursor: str, count: int) -> list[int]:
    """`count` whole numbers. Raises Malformed for a cursor that was not made here."""
    try:
        texts = base64.urlsafe_b64decode(cursor.encode()).decode("ascii").split(".")
        numbers = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= 16]
    except (binascii.Error, ValueError):
        numbers = []
    if len(numbers) != count or write(*numbers) != cursor or max(numbers) >= _FAR:
        raise Malformed(cause="cursor")
    return numbers


def millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def moment(number: int) -> datetime:
    """Raises Malformed for a time beyond what dates reach."""
    try:
        return _EPOCH + timedelta(milliseconds=number)
    except OverflowError:
        raise Malformed(cause="cursor") from None


def write_id(one: str) -> str:
    return base64.urlsafe_b64encode(one.encode()).decode()


def read_id(cursor: str) -> str:
    """An id. Raises Malformed for a cursor that was not made here."""
    try:
        found = base64.urlsafe_b64decode(cursor.encode()).decode("ascii")
    except (binascii.Error, ValueError):
        found = ""
    if not found or not found.isprintable() or write_id(found) != cursor:
        raise Malformed(cause="cursor")
    return found
