"""A service with a fault in it, in the place of the one that runs, for a while."""

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

FAULTS = {"cases": "TellsWhy", "sharing": "TellsWhyOfShares"}
"""By service: which of `planted_services`."""


@contextmanager
def planted(on: Ground, service: str) -> Iterator[None]:
    """The only one of this ground is another one meanwhile."""
    name, fault = f"{service}-1", f"tests.checks.matrix.planted_services:{FAULTS[service]}"
    port = on.cell.ports[name]
    on.cell.stop(name)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "services.chassis.runner", fault],
        cwd=CHECKOUT,
        env={
            **os.environ,
            **on.cell.environment_of(service),
            "CONCORDAT_INSTANCE": name,
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
        on.cell.start(name)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
