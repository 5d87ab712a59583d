"""Secrets of a cell: made once, kept in files that only their user can read, handed to processes by file
name.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def password(folder: Path, name: str) -> str:
    """The secret called `name`, made at first use."""
    file = folder / name
    if not file.exists():
        write(file, secrets.token_hex(24))
    return file.read_text(encoding="ascii").strip()


def write(file: Path, text: str, mode: int = 0o600) -> Path:
    """Replace a secret file; its content is never readable by others, not even while it is written."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        out.write(text)
    new.replace(file)
    return file
