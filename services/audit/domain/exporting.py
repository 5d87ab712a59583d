"""The lines of the export: `deploy/verifier.py` reads them."""

from __future__ import annotations

import base64
import json


def line(index: int, leaf: bytes, hashed: bytes, detail: str | None, salt: bytes | None) -> str:
    """One entry; without detail and salt it still counts towards the root."""
    fields: dict[str, int | str] = {"index": index, "leaf": _text(leaf), "hash": _text(hashed)}
    if detail is not None and salt is not None:
        fields |= {"detail": detail, "salt": _text(salt)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def last_line(note: str) -> str:
    return json.dumps({"note": note}, ensure_ascii=False, separators=(",", ":"))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
