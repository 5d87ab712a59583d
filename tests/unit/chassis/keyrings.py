"""Key folders and keyrings for tests, and a clock for the key folder that they can turn."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.chassis import keyfolder, keys
from services.chassis.sealing import Keyring

SERVICES = ("echo", "gateway", "mirror", "sharing")


class Clock:
    """What the key folder takes for the time. `pass_` also makes it look at its files again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr(keyfolder, "time", SimpleNamespace(time=lambda: self.now))

    def pass_(self, seconds: float = keyfolder.LOOK_EVERY) -> None:
        self.now += seconds


def folder_of(path: Path, now: float | None = None) -> Path:
    """A key folder with a pair for each of SERVICES, made a second before `now`."""
    keys.make(path, SERVICES, (time.time() if now is None else now) - 1)
    return path


def rings(folder: Path) -> dict[str, Keyring]:
    return {name: Keyring(folder, name) for name in SERVICES}
