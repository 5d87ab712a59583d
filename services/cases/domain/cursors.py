"""Where a page of a list ends: opaque outside, and no more than a place in an order."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from services.contracts.errors import Malformed


def written(*parts: str) -> str:
    """The cursor behind the row with these sort keys."""
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


def read(cursor: str, count: int) -> tuple[str, ...]:
    """The sort keys again. Raises Malformed for anything that `written` did not make."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error):
        raise Malformed(cause="cursor") from None
    if not isinstance(parts, list) or len(parts) != count or not all(map(_plain, parts)):
        raise Malformed(cause="cursor")
    return tuple(parts)


def moment(text: str) -> datetime:
    """Raises Malformed."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(cause="cursor") from None
    if found.tzinfo is None:
        raise Malformed(cause="cursor")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise Malformed(cause="cursor") from None


def _plain(part: object) -> bool:
    """Half a character, which JSON can say, is nothing that the database takes."""
    return isinstance(part, str) and not any("\ud800" <= sign <= "\udfff" for sign in part)
