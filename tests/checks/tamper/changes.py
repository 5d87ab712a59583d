"""Single changes, of every kind; each says what it did and where somebody looks."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.checks.tamper.world import OLD, STRANGER, Stored, rewritten


class NoChange(Exception):
    """What came out is what there was."""


def flipped(raw: bytes, dice: random.Random) -> bytes:
    at, bit = dice.randrange(len(raw)), 1 << dice.randrange(8)
    return raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :]


# -- in an export -------------------------------------------------------------------------------------------


def export_flip(raw: bytes, dice: random.Random) -> bytes:
    return flipped(raw, dice)


def export_delete(raw: bytes, dice: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    del lines[dice.randrange(len(lines))]
    return b"".join(lines)


def export_swap(raw: bytes, dice: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    one, two = dice.sample(range(len(lines)), 2)
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def export_double(raw: bytes, dice: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    at = dice.randrange(len(lines))
    return b"".join([*lines[:at], lines[at], *lines[at:]])


def export_truncate(raw: bytes, dice: random.Random) -> bytes:
    return raw[: dice.randrange(len(raw) - 1)]


def export_insert(raw: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(raw))
    return raw[:at] + bytes([dice.randrange(256)]) + raw[at:]


EXPORT: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "a bit": export_flip,
    "a line gone": export_delete,
    "two lines swapped": export_swap,
    "a line twice": export_double,
    "cut off": export_truncate,
    "a byte more": export_insert,
}


# -- in the database ----------------------------------------------------------------------------------------


def stored_flip(log: Stored, dice: random.Random) -> None:
    rows = getattr(log, dice.choice(("leaves", "checkpoints", "entries", "keys")))
    row = rows[dice.choice(sorted(rows))]
    name = dice.choice([name for name, value in row.items() if isinstance(value, bytes | str)] or [""])
    if not name:
        raise NoChange
    value = row[name]
    raw = flipped(value.encode() if isinstance(value, str) else value, dice)
    row[name] = raw.decode("utf-8", "replace") if isinstance(value, str) else raw


def stored_delete(log: Stored, dice: random.Random) -> None:
    """A row; of checkpoints the last alone is missed by nobody but a witness, who is asked elsewhere."""
    rows = getattr(log, dice.choice(("leaves", "entries", "keys")))
    del rows[dice.choice(sorted(rows))]


def stored_swap(log: Stored, dice: random.Random) -> None:
    rows = getattr(log, dice.choice(("leaves", "checkpoints", "entries", "keys")))
    one, two = dice.sample(sorted(rows), 2)
    rows[one], rows[two] = rows[two], rows[one]
    if rows[one] == rows[two]:
        raise NoChange


def stored_truncate(log: Stored, dice: random.Random) -> None:
    """The end of the leaves is gone, and the tree says so; checkpoints are there."""
    log.count = dice.randrange(log.count)
    for rows in (log.leaves, log.entries, log.keys):
        for index in [index for index in rows if index >= log.count]:
            del rows[index]


def stored_size(log: Stored, dice: random.Random) -> None:
    log.count += dice.choice((-1, 1)) * dice.randrange(1, log.count)


def stored_doubled(log: Stored, dice: random.Random) -> None:
    """An entry stands in another's place as well."""
    one, two = dice.sample(sorted(log.leaves), 2)
    log.leaves[one] = dict(log.leaves[two])


STORED: dict[str, Callable[[Stored, random.Random], None]] = {
    "a bit": stored_flip,
    "a row gone": stored_delete,
    "two rows swapped": stored_swap,
    "the end gone": stored_truncate,
    "another size": stored_size,
    "an entry twice": stored_doubled,
}


def signed_anew(log: Stored, dice: random.Random) -> Stored:
    """Written anew and signed with a key that was replaced, or that never was the log's."""
    late = log.count // 2 + 8  # of the time after the old key
    return rewritten(log, dice.randrange(late, log.count), dice.choice((OLD, STRANGER)))


# -- in files -----------------------------------------------------------------------------------------------


def file_change(folder: Path, dice: random.Random) -> tuple[Path, bytes]:
    """Change one file; its content from before is returned, to put it back."""
    file = dice.choice(sorted(one for one in folder.rglob("*") if one.is_file()))
    raw = file.read_bytes()
    kind = dice.randrange(4)
    if kind == 0 or len(raw) < 2:
        file.unlink()
    elif kind == 1:
        file.write_bytes(raw[: dice.randrange(len(raw))])
    elif kind == 2:
        file.write_bytes(raw + bytes([dice.randrange(256)]))
    else:
        file.write_bytes(flipped(raw, dice))
    return file, raw
