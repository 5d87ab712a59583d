"""Which keys are used and believed, while the folder changes under a running process."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis import keyfolder, keys
from services.chassis.keyfolder import LOOK_EVERY, KeyFolder
from tests.unit.chassis.keyrings import Clock, folder_of

# Each example leaves the folder as it found it, and the clock only runs on.
_MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was logged; also spares the time that unconfigured logging takes to print a trace."""
    events: list[str] = []
    log = SimpleNamespace(error=lambda event, **_: events.append(event))
    monkeypatch.setattr(keyfolder, "log", log)
    return events


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> Path:
    return folder_of(tmp_path, clock.now)


def _change_public(folder: Path, service: str, **change: Any) -> None:
    file = folder / "public.json"
    everybody = json.loads(file.read_text())
    everybody[service][0].update(change)
    new = file.with_name("new.json")
    new.write_text(json.dumps(everybody))
    new.replace(file)


def test_a_service_seals_with_the_newest_key_that_has_begun(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    first = found.own_current()[0]
    second = keys.rotate(folder, "echo", clock.now, start_after=10)
    clock.pass_(9)
    assert found.own_current()[0] == found.current("echo")[0] == first
    clock.pass_(3)
    assert found.own_current()[0] == found.current("echo")[0] == second


def test_a_key_that_has_not_begun_already_opens(folder: Path, clock: Clock) -> None:
    """The other machine's clock may be ahead."""
    found = KeyFolder(folder, "echo")
    new = keys.rotate(folder, "echo", clock.now, start_after=60)
    clock.pass_()
    assert found.own_private(new)
    assert found.public("echo", new)
    assert [kid for kid, _ in found.own_private_keys()][-1] == new
    assert [kid for kid, _ in found.public_keys("echo")][-1] == new


def test_a_key_ends_on_time_although_nobody_changes_the_files(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    old = found.own_current()[0]
    keys.rotate(folder, "echo", clock.now, overlap=30, start_after=10)
    clock.pass_(39.9)
    assert found.own_private(old)
    assert found.public("echo", old)
    clock.pass_(0.2)
    with pytest.raises(LookupError):
        found.own_private(old)
    with pytest.raises(LookupError):
        found.public("echo", old)
    assert len(found.own_private_keys()) == len(found.public_keys("echo")) == 1


def test_a_service_whose_only_key_has_ended_has_none(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "gateway")
    _change_public(folder, "echo", until=clock.now + 5)
    clock.pass_(6)
    with pytest.raises(LookupError):
        found.current("echo")
    assert found.public_keys("echo") == []


def test_the_files_are_not_looked_at_for_every_message(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    new = keys.rotate(folder, "echo", clock.now, start_after=0)
    clock.pass_(LOOK_EVERY / 2)
    with pytest.raises(LookupError):
        found.own_private(new)
    clock.pass_(LOOK_EVERY)
    assert found.own_private(new)


def test_a_clock_set_back_does_not_stop_the_looking(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    clock.pass_(-3600)
    new = keys.rotate(folder, "echo", clock.now, start_after=0)
    assert found.own_private(new)


def test_unknown_services_and_kids_are_lookup_errors(folder: Path) -> None:
    found = KeyFolder(folder, "echo")
    for ask in (
        lambda: found.current("stranger"),
        lambda: found.public("stranger", "00000000"),
        lambda: found.public("gateway", "00000000"),
        lambda: found.own_private("00000000"),
    ):
        with pytest.raises(LookupError):
            ask()
    assert found.public_keys("stranger") == []


def test_a_process_without_its_keys_does_not_start(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeyFolder(folder, "stranger")


def test_a_folder_that_is_gone_leaves_the_keys_last_read(
    folder: Path, clock: Clock, logged: list[str]
) -> None:
    found = KeyFolder(folder, "echo")
    kid, peers = found.own_current()[0], found.current("gateway")[0]
    shutil.rmtree(folder)
    clock.pass_()
    assert (found.own_current()[0], found.current("gateway")[0]) == (kid, peers)
    assert logged == ["keys_not_read"]


def test_a_folder_that_came_back_is_read_again(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    away = folder / "away.json"
    (folder / "public.json").rename(away)
    clock.pass_()
    assert found.current("gateway")
    away.rename(folder / "public.json")
    new = keys.rotate(folder, "gateway", clock.now, start_after=0)
    clock.pass_()
    assert found.current("gateway")[0] == new


def test_keys_kept_from_a_spoilt_folder_still_begin_and_end_on_time(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    old = found.own_current()[0]
    new = keys.rotate(folder, "echo", clock.now, overlap=30, start_after=10)
    clock.pass_()
    assert found.own_current()[0] == old
    (folder / "public.json").write_text("{")
    clock.pass_(10)
    assert found.own_current()[0] == new
    clock.pass_(30)
    with pytest.raises(LookupError):
        found.own_private(old)


@pytest.mark.parametrize(
    "change",
    [
        {"kid": "ABCDEF01"},
        {"kid": "abcdef"},
        {"kid": 7},
        {"key": "AAAA"},
        {"key": "not base64!"},
        {"from": "soon"},
        {"from": 10**400},
        {"until": []},
    ],
)
def test_a_row_that_makes_no_sense_changes_nothing(folder: Path, clock: Clock, change: Any) -> None:
    found = KeyFolder(folder, "echo")
    kid, own = found.current("gateway")[0], found.own_current()[0]
    keys.rotate(folder, "echo", clock.now, start_after=0)
    _change_public(folder, "gateway", **change)
    clock.pass_()
    assert (found.current("gateway")[0], found.own_current()[0]) == (kid, own)


@_MANY
@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_whatever_the_files_hold_asking_for_keys_raises_nothing_else(
    folder: Path, clock: Clock, content: bytes, private: bool
) -> None:
    file = folder / ("echo/private.json" if private else "public.json")
    good = file.read_bytes()
    found = KeyFolder(folder, "echo")
    file.write_bytes(content)
    clock.pass_()
    try:
        found.current("gateway")
        found.own_current()
    except LookupError:  # an empty file of keys is a readable one
        assert isinstance(json.loads(content), (dict, list))
    finally:
        file.write_bytes(good)


def test_a_file_replaced_twice_within_one_tick_of_its_clock_is_read_again(folder: Path, clock: Clock) -> None:
    found = KeyFolder(folder, "echo")
    before = (folder / "public.json").stat()
    new = keys.rotate(folder, "gateway", clock.now, start_after=0)
    os.utime(folder / "public.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    clock.pass_()
    assert found.current("gateway")[0] == new
