"""The greenlet client in a process of its own, calling for as long as it is wanted."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import eventlet
import structlog

from services.chassis.calls import ask
from services.chassis.client import GreenCalls
from services.chassis.formats import Sealed
from services.chassis.link import Link
from services.chassis.sealing import Keyring
from services.contracts.errors import ConcordatError

REFUSED = 10
"""Refusals after which there is a file `<stop>.refused`: what is tested has been seen."""
TURNS = 3
"""Greenlets that call, one call after the other."""


def call_until(url: str, keys_dir: str, route: str, seconds: float, stop: str) -> list[tuple[str, float]]:
    """Call `route`, allowing each call `seconds`, until there is a file `stop`; how each ended, and after how
    long.

    It says nothing meanwhile: nobody reads the pipe before the end.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    consuming, publishing = (Link([url], name, heartbeat=1) for name in ("consuming", "publishing"))
    calls = GreenCalls("gateway", consuming, publishing, Sealed(Keyring(Path(keys_dir), "gateway")))
    calls.start()
    for link in (consuming, publishing):
        link.start()
        assert link.wait_up(20)
    told: list[tuple[str, float]] = []

    def one(number: int) -> None:
        began = time.monotonic()
        try:
            calls.call(ask(route, None, reply=None, patience=seconds, kwargs={"tag": f"green-{number}"}))
            code = "ok"
        except ConcordatError as problem:
            code = problem.code
        told.append((code, time.monotonic() - began))
        if sum(code == "unavailable" for code, _ in told) > REFUSED:
            Path(f"{stop}.refused").touch()

    def repeat(number: int) -> None:
        while not Path(stop).exists():
            one(number)
            eventlet.sleep(0.02)

    for turn in [eventlet.spawn(repeat, number) for number in range(TURNS)]:
        turn.wait()
    consuming.stop()
    publishing.stop()
    return told
