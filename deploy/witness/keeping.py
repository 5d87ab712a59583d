"""What a witness remembers: the last checkpoint that it found right, all that it cosigned, and evidence.

seen.json        the last; replaced before its cosignature leaves this machine
cosigned/N.note  each checkpoint of N entries with this witness's cosignature: what it publishes
evidence/T.json  both sides of what raised an alarm; never removed
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from deploy.witness.judging import Alarm, Seen, opened
from deploy.witness.notes import LogKey, Unusable, Wrong


class Memory:
    """The witness's folder. One process at a time."""

    def __init__(self, folder: Path, keys: Sequence[LogKey]) -> None:
        self._folder, self._keys = folder, keys
        (folder / "cosigned").mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "evidence").mkdir(mode=0o700, exist_ok=True)

    def last(self) -> Seen | None:
        """Raises Unusable: a witness that cannot know what it saw must not sign."""
        file = self._folder / "seen.json"
        if not file.exists():
            return None
        try:
            return opened(json.loads(file.read_text("utf-8"))["note"], self._keys)
        except (ValueError, KeyError, TypeError, Wrong) as problem:
            raise Unusable(
                f"{file} does not hold what this witness saw with these keys ({problem})."
            ) from None

    def keep(self, seen: Seen, cosigned: str) -> None:
        _write(self._folder / "cosigned" / f"{seen.checkpoint.size}.note", cosigned)
        _write(self._folder / "seen.json", json.dumps({"note": seen.note}))

    def accuse(self, alarm: Alarm, now: str, before: Seen, found: str, proof: Sequence[bytes]) -> Path:
        """Keep both notes, and the proof that does not hold."""
        content = {
            "code": alarm.code,
            "text": str(alarm),
            "at": now,
            "seen": before.note,
            "shown": found,
            "proof": [one.hex() for one in proof],
        }
        return _write(
            self._folder / "evidence" / f"{now.replace(':', '')}.json", json.dumps(content, indent=1)
        )


def _write(file: Path, text: str) -> Path:
    """The old file or the new one, never a part; on the disk before this returns."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return file
