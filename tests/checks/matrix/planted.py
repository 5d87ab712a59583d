"""`cases` with a fault in it, in the place of the one that runs, for a while."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from deploy.launcher.places import CHECKOUT
from tests.checks.ground import Ground
from tests.waiting import until

NAME = "cases-1"
_CLASS = "tests.checks.matrix.planted_services:TellsWhy"


@contextmanager
def planted(on: Ground) -> Iterator[None]:
    """The only `cases` of this ground is another one meanwhile."""
    port = on.cell.ports[NAME]
    on.cell.stop(NAME)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "services.chassis.runner", _CLASS],
        cwd=CHECKOUT,
        env={
            **os.environ,
            **on.cell.environment_of("cases"),
            "CONCORDAT_INSTANCE": NAME,
            "CONCORDAT_HTTP_PORT": str(port),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _ready(port), seconds=30)
        yield
    finally:
        process.terminate()
        process.wait(30)
        on.cell.start(NAME)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
