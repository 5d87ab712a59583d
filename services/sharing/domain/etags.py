"""Opaque versions of what one caller sees, and whether a caller has the present one (RFC 9110, 8.8.3)."""

from __future__ import annotations

from services.contracts.errors import IfMatchRequired, Stale


def etag_of(version: int, *more: object) -> str:
    """Of the version, and of what the calendar does to it."""
    return "-".join((f"v{version}", *(str(one) for one in more)))


def check(if_match: str | None, present: str) -> None:
    """Raises IfMatchRequired, Stale with the present one."""
    if if_match is None:
        raise IfMatchRequired
    if present not in {one.strip().removeprefix("W/").strip('"') for one in if_match.split(",")}:
        raise Stale(etag=present)
