"""The key folder that the commands write, as a service reads it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from services.chassis import keys
from services.chassis.keyfolder import KeyFolder

NOW = 1_000_000.0


def test_a_pair_is_made_once_and_its_reader_finds_it(tmp_path: Path) -> None:
    assert keys.make(tmp_path, ["echo", "mirror"], NOW) == ["echo", "mirror"]
    assert keys.make(tmp_path, ["echo", "mirror", "gateway"], NOW) == ["gateway"]
    folder = KeyFolder(tmp_path, "echo")
    kid, private = folder.own_current()
    public = KeyFolder(tmp_path, "mirror").public("echo", kid)
    assert private.public_key().public_bytes_raw() == public.public_bytes_raw()


def test_private_keys_are_for_their_service_alone(tmp_path: Path) -> None:
    keys.make(tmp_path / "keys", ["echo"], NOW)
    assert stat.S_IMODE((tmp_path / "keys" / "echo").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "echo" / "private.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys" / "public.json").stat().st_mode) == 0o644


def test_a_rotation_begins_later_and_ends_the_old_key_after_the_overlap(tmp_path: Path) -> None:
    keys.make(tmp_path, ["echo"], NOW)
    old = keys.listed(tmp_path)[0].kid
    new = keys.rotate(tmp_path, "echo", NOW, overlap=100, start_after=10)
    assert [(key.kid, key.since, key.until) for key in keys.listed(tmp_path)] == [
        (old, NOW, NOW + 110),
        (new, NOW + 10, None),
    ]


def test_a_second_rotation_does_not_lengthen_a_keys_life_and_drops_the_ended(tmp_path: Path) -> None:
    keys.make(tmp_path, ["echo"], NOW)
    first = keys.listed(tmp_path)[0].kid
    second = keys.rotate(tmp_path, "echo", NOW, overlap=100, start_after=10)
    keys.rotate(tmp_path, "echo", NOW + 50, overlap=100, start_after=10)
    assert {key.kid: key.until for key in keys.listed(tmp_path)}[first] == NOW + 110
    keys.rotate(tmp_path, "echo", NOW + 120, overlap=100, start_after=10)
    kids = [key.kid for key in keys.listed(tmp_path)]
    assert first not in kids
    assert second in kids


def test_who_has_no_key_has_none_to_rotate(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        keys.rotate(tmp_path, "echo", NOW)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_rotated_key_belongs_to_whom_its_folder_belongs(tmp_path: Path) -> None:
    keys.make(tmp_path, ["echo"], NOW)
    os.chown(tmp_path / "echo", 10001, 10001)
    keys.rotate(tmp_path, "echo", NOW)
    assert (tmp_path / "echo" / "private.json").stat().st_uid == 10001
