"""The keys that sign the log: made once, for the recorder alone, and apart from the database."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from services.chassis import keys, logkeys

NOW = 1_000_000.0


def test_a_key_is_made_once_and_is_audits_alone(tmp_path: Path) -> None:
    keys.make(tmp_path, ["audit", "cases"], NOW)
    file = tmp_path / "audit" / "log.json"
    before = file.read_text()
    keys.make(tmp_path, ["audit", "cases"], NOW + 1)
    assert file.read_text() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (tmp_path / "cases" / "log.json").exists()
    assert "log" not in (tmp_path / "public.json").read_text()


def test_a_folder_from_before_gets_its_key(tmp_path: Path) -> None:
    keys.make(tmp_path, ["audit"], NOW)
    (tmp_path / "audit" / "log.json").unlink()
    assert keys.make(tmp_path, ["audit"], NOW) == []
    assert logkeys.read(tmp_path, "o").keys


def test_the_newest_key_in_force_signs_and_old_ones_stay_known(tmp_path: Path) -> None:
    keys.make(tmp_path, ["audit"], NOW)
    file = tmp_path / "audit" / "log.json"
    (first,) = json.loads(file.read_text())
    keys.make(tmp_path / "other", ["audit"], NOW + 100)
    (second,) = json.loads((tmp_path / "other" / "audit" / "log.json").read_text())
    file.write_text(json.dumps([{**first, "until": NOW + 200}, second]))
    found = logkeys.read(tmp_path, "o")
    raw = [key.key.private_bytes_raw() for key in found.keys]
    assert found.current(NOW + 50).private_bytes_raw() == raw[0]
    assert found.current(NOW + 150).private_bytes_raw() == raw[1]
    assert found.current(NOW + 300).private_bytes_raw() == raw[1]
    with pytest.raises(LookupError):
        found.current(NOW - 1)


def test_without_its_key_audit_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"log\.json"):
        logkeys.read(tmp_path, "o")


def test_a_rotated_key_signs_beside_the_new_one_until_its_overlap_ends(tmp_path: Path) -> None:
    keys.make(tmp_path, ["audit"], 1000.0)
    (old,) = logkeys.read(tmp_path, "o").keys
    keys.rotate_log(tmp_path, 2000.0, overlap=500, start_after=60)
    found = logkeys.read(tmp_path, "o")
    new = found.keys[1]
    assert len(found.keys) == 2

    def raws(now: float) -> list[bytes]:
        return [one.private_bytes_raw() for one in found.in_force(now)]

    first, second = old.key.private_bytes_raw(), new.key.private_bytes_raw()
    assert raws(2059.0) == [first]
    assert raws(2061.0) == [second, first]
    assert raws(2561.0) == [second]
    keys.rotate_log(tmp_path, 9000.0, overlap=0, start_after=0)
    assert len(logkeys.read(tmp_path, "o").keys) == 3  # what the first signed is checked with it for ever


def test_wrapping_keys_stay_until_nobody_needs_them(tmp_path: Path) -> None:
    keys.make(tmp_path, ["audit"], 1000.0)
    kid, key = logkeys.read_wrapping(tmp_path).current(1001.0)
    new = keys.rotate_details(tmp_path, 2000.0, start_after=10)
    found = logkeys.read_wrapping(tmp_path)
    assert found.current(2005.0) == (kid, key)
    assert found.current(2011.0)[0] == new
    assert found.keys[kid] == key


def test_a_file_of_keys_that_changed_is_read_anew_and_a_broken_one_is_not(tmp_path: Path) -> None:
    keys.make(tmp_path, ["audit"], 1000.0)
    file = keys.log_file(tmp_path)
    watched = logkeys.Watched(file, lambda: logkeys.read(tmp_path, "o"))
    assert len(watched().keys) == 1
    keys.rotate_log(tmp_path, 2000.0)
    assert len(watched().keys) == 2
    file.write_text("no keys")
    assert len(watched().keys) == 2
