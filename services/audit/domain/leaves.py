"""What of a record is hashed into the tree, and what is kept beside it.

    leaf        {"at", "commitment", "id", "v"}: canonical JSON
    commitment  base64 of SHA-256(salt ‖ detail)
    detail      the record: canonical JSON, without the numbering of its publisher

The salt (32 random bytes) keeps anybody from guessing the detail from the leaf. Without salt and detail the
leaf still proves that something stood here, and says nothing of what.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from services.contracts.records import Record

VERSION = 1
SALT_SIZE = 32
_PUBLISHING = frozenset({"publisher", "number", "doubtful"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """`leaf` are the bytes that are hashed; `detail` and `salt` what they commit to."""

    leaf: bytes
    detail: str
    salt: bytes


def leaf_of(record: Record, salt: bytes) -> Leaf:
    fields = record.model_dump(mode="json", exclude=set(_PUBLISHING), exclude_none=True)
    detail = canonical(fields)
    commitment = hashlib.sha256(salt + detail.encode()).digest()
    leaf = canonical(
        {
            "at": fields["at"],
            "commitment": base64.b64encode(commitment).decode(),
            "id": record.id,
            "v": VERSION,
        }
    )
    return Leaf(leaf.encode(), detail, salt)


def read_detail(detail: str) -> Record:
    return Record.model_validate_json(detail)


def canonical(value: Any) -> str:
    """JSON in one way only: keys sorted, no spaces, characters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
