"""Who may ask for which method: the role catalogue, once, for `sharing`, for the holders, for the docs.

`sharing` refuses at `identify` what the caller's roles alone forbid. A method about one case (`level` is set)
is judged by the holder of the case, so that a case that is not visible stays "not found" whatever the role.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import audit, cases, notify, sharing
from .permit import Permit

PERMITS: Mapping[str, Mapping[str, Permit]] = MappingProxyType(
    {"audit": audit.PERMITS, "cases": cases.PERMITS, "notify": notify.PERMITS, "sharing": sharing.PERMITS}
)


def permit_of(service: str, method: str) -> Permit | None:
    """None for a method that no user or client may ask for."""
    return PERMITS.get(service, {}).get(method)


__all__ = ("PERMITS", "Permit", "permit_of")
