"""Details in cold storage, beside the tiles and never among them: tiles may be given to anybody.

    details/N    of 256 entries, a line of JSON each: {index, sealed}; encrypted, and of no use without
    keys/N       {index, kek, key}, or {index, erased: when}; wrapped with the keys of the key folder
    checkpoints  every checkpoint, the oldest first: {size, at, note}

N is as in the tiles. A copy is brought up to date: what was destroyed since is destroyed in it. An older copy
of `keys` brings back what was destroyed: keep one, and keep it apart from `details`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from services.audit.domain.vault import Wrapped
from services.audit.stores.tree import Kept as Checkpoint
from services.audit.stores.upkeep import Kept
from services.audit.tools.tiles import WIDTH, BadTiles, number

ReadDetails = Callable[[int, int], Sequence[Kept]]


def write(folder: Path, size: int, read: ReadDetails, history: Iterable[Checkpoint]) -> int:
    """The details of the first `size` entries. How many files were new or changed."""
    written = 0
    for begin in range(0, size, WIDTH):
        found = read(begin, min(size, begin + WIDTH))
        name = number(begin // WIDTH)
        written += _put(folder / "keys" / name, map(_key_line, found))
        written += _put(folder / "details" / name, (_detail_line(one) for one in found if one.sealed))
    signed = (
        {"size": one.size, "at": one.at.isoformat(), "note": one.note} for one in history if one.size <= size
    )
    return written + _put(folder / "checkpoints", signed)


def details(folder: Path, begin: int, count: int) -> list[Kept]:
    """Of the bundle that begins with entry `begin`. Raises BadTiles."""
    name = number(begin // WIDTH)
    sealed = {
        index: _raw(row["sealed"], f"details/{name}", index)
        for index, row in _by_index(folder, f"details/{name}").items()
    }
    keys, found = _by_index(folder, f"keys/{name}"), list[Kept]()
    for index in range(begin, begin + count):
        row, where = keys.get(index), f"keys/{name}"
        if row is None:
            raise BadTiles(f"{where}: there is nothing of index {index}")
        if "erased" in row:
            found.append(Kept(index, None, None, _moment(row["erased"], where)))
        elif index not in sealed:
            raise BadTiles(f"details/{name}: index {index} is not there, and was not erased")
        else:
            key = Wrapped(str(row.get("kek")), _raw(row.get("key"), where, index))
            found.append(Kept(index, sealed[index], key, None))
    return found


def history(folder: Path) -> Iterator[tuple[int, datetime, str]]:
    """Size, time and note of each checkpoint. Raises BadTiles."""
    for row in _rows(folder, "checkpoints"):
        if type(row.get("size")) is not int or not isinstance(row.get("note"), str):
            raise BadTiles("checkpoints: a line cannot be read")
        yield row["size"], _moment(row.get("at"), "checkpoints"), row["note"]


def _key_line(one: Kept) -> dict[str, object]:
    if one.key is not None and one.sealed is not None:
        return {"index": one.index, "kek": one.key.kid, "key": base64.b64encode(one.key.key).decode()}
    return {"index": one.index, "erased": None if one.erased is None else one.erased.isoformat()}


def _detail_line(one: Kept) -> dict[str, object]:
    return {"index": one.index, "sealed": base64.b64encode(one.sealed or b"").decode()}


def _put(file: Path, lines: Iterable[dict[str, object]]) -> int:
    content = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode()
    if file.exists() and file.read_bytes() == content:
        return 0
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    new.write_bytes(content)
    new.replace(file)
    return 1


def _by_index(folder: Path, name: str) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for row in _rows(folder, name):
        index = row.get("index")
        if type(index) is not int or index in found:
            raise BadTiles(f"{name}: an index cannot be read, or is there twice")
        found[index] = row
    return found


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    try:
        with (folder / name).open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise BadTiles(f"{name}: a line cannot be read")
                yield row
    except OSError:
        raise BadTiles(f"{name}: it is not there") from None
    except ValueError:
        raise BadTiles(f"{name}: a line cannot be read") from None


def _raw(text: object, name: str, index: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else _nothing()
    except ValueError:
        raise BadTiles(f"{name}: index {index} cannot be read") from None


def _nothing() -> bytes:
    raise ValueError


def _moment(text: object, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadTiles(f"{name}: a time cannot be read")
    return found
