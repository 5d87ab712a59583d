"""The whole system with the demonstration's partnership in it, in a temporary folder, gone afterwards."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import demo
from deploy.launcher.cell import remembered

CONCORDAT = Path(sys.executable).with_name("concordat")


@dataclass(frozen=True)
class Demonstration:
    """`document` is what `make demo` writes for other people's programs."""

    url: str
    document: dict[str, Any]

    def password(self, username: str) -> str:
        return next(one["password"] for one in self.document["users"] if one["username"] == username)


@contextlib.contextmanager
def demonstrating() -> Iterator[Demonstration]:
    """As `make demo` starts it. It takes about half a minute to be there."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    up = [CONCORDAT, "up", "--demo", "--data", str(folder)]
    try:
        done = subprocess.run(up, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        document = json.loads((remembered(folder).places.root / demo.FILE).read_text(encoding="utf-8"))
        yield Demonstration(document["base_url"], document)
    finally:
        remembered(folder).down(kill=True)
        shutil.rmtree(folder, ignore_errors=True)
