"""The key folder: an X25519 pair per service with which its bodies are sealed. `keyfolder.py` is the reader.

    public.json              {service: [{kid, key, from, until}, ...]}   everybody reads it
    {service}/private.json   [{kid, key, from, until}, ...]              0600, its service alone
    audit/log.json           the same: the Ed25519 keys that sign the log; `logkeys.py` is the reader
    audit/details.json       the same: the AES-256 keys under which the keys of its details are wrapped

`key` is base64 of the 32 raw bytes (RFC 7748); `from` and `until` are unix seconds, `until` null while in
use. A reader seals with the newest key that has begun, and opens with any that has not ended, so a rotation
needs no restart: the new key begins once every process has read the folder anew, and the old one ends an
overlap later.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from services.contracts.directory import RECORDER

START_AFTER = 60
"""Seconds until a new key is used; a process reads the folder anew every few seconds."""
OVERLAP = 3600
"""Seconds for which the old key still opens, counted from the start of the new one."""
LOG_OVERLAP = 30 * 24 * 3600
"""Seconds for which the log is signed with the old key as well: so long its readers have to fetch the new."""
LOG, DETAILS = "audit-log", "audit-details"
"""What `concordat keys rotate` calls the recorder's own keys."""

Row = dict[str, Any]


class Listed(NamedTuple):
    """A key as `concordat keys list` shows it."""

    service: str
    kid: str
    since: float
    until: float | None


def make(folder: Path, services: Iterable[str], now: float) -> list[str]:
    """Make a pair for each service without one; returns those. Safe to repeat."""
    services = list(services)
    with _locked(folder):
        new = [name for name in services if not _private_file(folder, name).exists()]
        for name in new:
            _write_private(folder, name, [_new_row(now, None)])
        for file, row in ((log_file(folder), _new_log_row), (details_file(folder), _new_details_row)):
            if RECORDER in services and not file.exists():
                _replace(file, [row(now)], 0o600)
        _publish(folder)
    return new


def log_file(folder: Path) -> Path:
    """The keys that sign the log. Not in the database: who can alter the log must not be able to sign it."""
    return folder / RECORDER / "log.json"


def details_file(folder: Path) -> Path:
    """The keys that wrap the keys of the log's details: without them no database, and no copy, tells any."""
    return folder / RECORDER / "details.json"


def rotate_log(
    folder: Path, now: float, *, overlap: float = LOG_OVERLAP, start_after: float = START_AFTER
) -> str:
    """Add a key that signs the log and end the older ones; none is dropped: what they signed is checked with
    them for ever. Returns the new kid. Raises LookupError."""
    return _add(log_file(folder), _new_log_row, now + start_after, overlap)


def rotate_details(folder: Path, now: float, *, start_after: float = START_AFTER) -> str:
    """Add a key that wraps; older ones open what `concordat audit rewrap` has not wrapped anew.

    Returns the new kid. Raises LookupError.
    """
    return _add(details_file(folder), _new_details_row, now + start_after, None)


def _add(file: Path, make_row: Callable[[float], Row], begins: float, overlap: float | None) -> str:
    with _locked(file.parent.parent):
        try:
            rows = _read(file)
        except FileNotFoundError:
            raise LookupError(f"{file.stem} has no key to rotate") from None
        kept = rows if overlap is None else [_ended(row, begins + overlap) for row in rows]
        new = make_row(begins)
        _replace(file, [*kept, new], 0o600)
    return str(new["kid"])


def rotate(
    folder: Path, service: str, now: float, *, overlap: float = OVERLAP, start_after: float = START_AFTER
) -> str:
    """Add a key to `service`, end its older ones and drop the ended; returns the new kid.

    Raises LookupError when the service has no key yet.
    """
    begins = now + start_after
    with _locked(folder):
        try:
            rows = _read(_private_file(folder, service))
        except FileNotFoundError:
            raise LookupError(f"{service} has no key to rotate") from None
        kept = [_ended(row, begins + overlap) for row in rows if row["until"] is None or row["until"] > now]
        new = _new_row(begins, None)
        _write_private(folder, service, [*kept, new])
        _publish(folder)
    return str(new["kid"])


def listed(folder: Path) -> list[Listed]:
    """Every public key, by service and start; then the recorder's own, if they are on this machine."""
    found: dict[str, list[Row]] = {}
    if (folder / "public.json").exists():
        public = _read(folder / "public.json")
        found = {service: public[service] for service in sorted(public)}
    for name, file in ((LOG, log_file(folder)), (DETAILS, details_file(folder))):
        with suppress(FileNotFoundError, PermissionError):
            found[name] = _read(file)
    return [
        Listed(name, row["kid"], row["from"], row["until"])
        for name, rows in found.items()
        for row in sorted(rows, key=lambda row: row["from"])
    ]


def _ended(row: Row, at: float) -> Row:
    return {**row, "until": at if row["until"] is None else min(row["until"], at)}


def _new_row(begins: float, ends: float | None) -> Row:
    raw = X25519PrivateKey.generate().private_bytes_raw()
    return {"kid": secrets.token_hex(4), "key": _text(raw), "from": begins, "until": ends}


def _new_log_row(begins: float) -> Row:
    raw = Ed25519PrivateKey.generate().private_bytes_raw()
    return {"kid": secrets.token_hex(4), "key": _text(raw), "from": begins, "until": None}


def _new_details_row(begins: float) -> Row:
    return {"kid": secrets.token_hex(4), "key": _text(secrets.token_bytes(32)), "from": begins, "until": None}


def _public_row(row: Row) -> Row:
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(row["key"]))
    return {**row, "key": _text(private.public_key().public_bytes_raw())}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _private_file(folder: Path, service: str) -> Path:
    return folder / service / "private.json"


def _write_private(folder: Path, service: str, rows: list[Row]) -> None:
    (folder / service).mkdir(mode=0o700, exist_ok=True)
    _replace(_private_file(folder, service), rows, 0o600)


def _publish(folder: Path) -> None:
    """The public file is always derived from the private ones here, so that they cannot disagree. Services
    whose private keys live on other machines keep the rows that they have.
    """
    file = folder / "public.json"
    public: dict[str, list[Row]] = _read(file) if file.exists() else {}
    for private in sorted(folder.glob("*/private.json")):
        public[private.parent.name] = [_public_row(row) for row in _read(private)]
    _replace(file, public, 0o644)


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _replace(file: Path, value: Mapping[str, Any] | list[Row], mode: int) -> None:
    """Readers see the old file or the new one, never a part; private bytes are never in a readable file.

    Root gives the file to whom its folder belongs: services run as users of their own.
    """
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        json.dump(value, out, indent=1)
        out.flush()
        if os.geteuid() == 0:
            owner = file.parent.stat()
            os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
        os.fsync(out.fileno())
    new.replace(file)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two commands at once must not lose each other's key."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
