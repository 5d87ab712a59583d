"""What a service seals for itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from services.chassis import keys
from services.chassis.safekeeping import Safe
from services.chassis.sealing import Keyring


def safe(folder: Path, name: str = "notify") -> Safe:
    return Safe(Keyring(folder, name))


def test_it_opens_what_it_sealed_and_others_do_not(tmp_path: Path) -> None:
    keys.make(tmp_path, ["notify", "cases"], time.time())
    kid, sealed = safe(tmp_path).seal(b"secret")
    assert b"secret" not in sealed
    assert safe(tmp_path).open(kid, sealed) == b"secret"
    with pytest.raises(LookupError):
        safe(tmp_path, "cases").open(kid, sealed)
    with pytest.raises(LookupError):
        safe(tmp_path).open(kid, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_after_a_rotation_the_old_is_opened_and_the_new_is_sealed_with(tmp_path: Path) -> None:
    now = time.time()
    keys.make(tmp_path, ["notify"], now - 100)
    kid, sealed = safe(tmp_path).seal(b"secret")
    keys.rotate(tmp_path, "notify", now - 50, overlap=1000, start_after=0)
    rotated = safe(tmp_path)
    assert rotated.kid != kid
    assert rotated.open(kid, sealed) == b"secret"
    assert rotated.open(*rotated.seal(b"other")) == b"other"


def test_after_the_overlap_the_old_is_lost(tmp_path: Path) -> None:
    now = time.time()
    keys.make(tmp_path, ["notify"], now - 1000)
    kid, sealed = safe(tmp_path).seal(b"secret")
    keys.rotate(tmp_path, "notify", now - 500, overlap=1, start_after=0)
    with pytest.raises(LookupError):
        safe(tmp_path).open(kid, sealed)
