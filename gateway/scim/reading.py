"""What a SCIM client asks for: a filter, a whole resource, or operations on one.

Of all that such a client may send, `active` and `externalId` change something here. Everything else is
ignored, for a leaver in the same message must not fail over a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.scim.shapes import MOST, PATCH, USER, ScimRefusal

_FILTER = re.compile(r'\s*([A-Za-z:.0-9]+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*', re.IGNORECASE)
_SOUGHT = {"username": "username", "externalid": "external_id"}
_OPERATIONS = frozenset({"add", "replace", "remove"})
_MOST_OPERATIONS = 100
Changes = dict[str, Any]


def sought(text: str | None) -> dict[str, str]:
    """`userName eq "x"` or `externalId eq "x"`, as what is asked of `sharing`. Raises ScimRefusal."""
    if text is None:
        return {}
    found = _FILTER.fullmatch(text)
    name = _SOUGHT.get(_attribute(found[1])) if found else None
    if found is None or name is None:
        raise ScimRefusal(400, "Only userName eq and externalId eq can be asked for.", "invalidFilter")
    try:
        value = json.loads(found[2])
        value.encode()
    except ValueError:
        raise ScimRefusal(400, "The value cannot be read.", "invalidFilter") from None
    if not value:
        raise ScimRefusal(400, "The value is empty.", "invalidFilter")
    return {name: value}


def span(start: str | None, count: str | None) -> tuple[int, int]:
    """From where and how many: what is too small or too large is brought to what there is (RFC 7644,
    3.4.2.4)."""
    return max(1, min(1_000_000, _number(start, 1))), max(0, min(MOST, _number(count, MOST)))


def body(data: bytes) -> dict[str, Any]:
    """Raises ScimRefusal."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ScimRefusal(400, "This is not a JSON object.", "invalidSyntax")
    return found


def whole(given: Mapping[str, Any]) -> Changes:
    """What a PUT asserts. What it does not mention stays (RFC 7644, 3.5.1). Raises ScimRefusal."""
    return _named(given)


def operations(given: Mapping[str, Any]) -> Changes:
    """What a PATCH comes to. Raises ScimRefusal."""
    named = given.get("schemas")
    asked = next((value for name, value in given.items() if name.lower() == "operations"), None)
    if not isinstance(named, list) or PATCH not in named or not isinstance(asked, list):
        raise ScimRefusal(400, "This is no PatchOp.", "invalidSyntax")
    if not 0 < len(asked) <= _MOST_OPERATIONS:
        raise ScimRefusal(400, "There are too many operations, or none.", "invalidSyntax")
    changes: Changes = {}
    for one in asked:
        changes |= _operation(one)
    return changes


def _operation(one: object) -> Changes:
    given = one.get("op") if isinstance(one, dict) else None
    name = given.lower() if isinstance(given, str) else ""
    if not isinstance(one, dict) or name not in _OPERATIONS:
        raise ScimRefusal(400, "This operation is not known.", "invalidSyntax")
    path, value = one.get("path"), one.get("value")
    if not isinstance(path, str | None):
        raise ScimRefusal(400, "path is a text.", "invalidPath")
    if path is None:
        if not isinstance(value, dict) or name == "remove":
            raise ScimRefusal(400, "The operation has no target.", "noTarget")
        return _named(value)
    attribute = _attribute(path)
    if name == "remove":
        if attribute == "active":
            raise ScimRefusal(400, "This cannot be removed.", "invalidValue")
        return {"external_id": None} if attribute == "externalid" else {}
    return _named({attribute: value})


def _named(given: Mapping[str, Any]) -> Changes:
    changes: Changes = {}
    for name, value in given.items():
        attribute = _attribute(name)
        if attribute == "active":
            changes["active"] = _truth(value)
        elif attribute == "externalid":
            changes["external_id"] = _text(value)
    return changes


def _truth(value: object) -> bool:
    """One well-known provider writes "True" and "False"."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ScimRefusal(400, "active is true or false.", "invalidValue")
    return value


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 256 or not _whole(value):
        raise ScimRefusal(400, "externalId is a text of 256 characters at most.", "invalidValue")
    return value


def _whole(text: str) -> bool:
    """JSON can say half of a character, which is no text."""
    try:
        text.encode()
    except ValueError:
        return False
    return True


def _attribute(name: str) -> str:
    """Names are the same in any case, and may begin with their schema."""
    lowered = name.strip().lower()
    return lowered.removeprefix(f"{USER.lower()}:")


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        return int(text[:12])
    except ValueError:
        raise ScimRefusal(400, "This is not a number.", "invalidValue") from None
