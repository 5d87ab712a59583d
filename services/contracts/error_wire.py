"""How an error is read off the wire, whatever release of whatever service wrote it there (`to_wire`)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .error_base import BY_STATUS, REGISTRY
from .errors import ConcordatError, FieldError, Malformed, Unavailable

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def from_wire(message: object) -> ConcordatError:
    """The error that `to_wire` described. Never raises.

    A code that is not known here (a newer peer) keeps its code in the nearest general class: by its status
    below 500, else `Unavailable`. What is not an error at all becomes `Unavailable`.
    """
    if not isinstance(message, Mapping):
        return Unavailable(cause="an error that is not an object")
    code, status = message.get("code"), message.get("status")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return Unavailable(cause="an error without a code")
    return _class_for(code, status)(
        code=code,
        errors=_field_errors(message.get("errors")),
        retry_after=_seconds(message.get("retry_after")),
        clause=_text(message.get("clause")),
        etag=_text(message.get("etag")),
    )


def _class_for(code: str, status: object) -> type[ConcordatError]:
    if code in REGISTRY:
        return REGISTRY[code]
    if not isinstance(status, int) or not 400 <= status < 500:
        return Unavailable
    # RFC 9110, section 15: a status that is not understood counts as the x00 of its class.
    return BY_STATUS.get(status, Malformed)


def _field_errors(found: object) -> tuple[FieldError, ...]:
    if not isinstance(found, list):
        return ()
    keys = ("pointer", "code", "detail")
    return tuple(
        FieldError(*(str(item.get(key, "")) for key in keys)) for item in found if isinstance(item, Mapping)
    )


def _seconds(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None
