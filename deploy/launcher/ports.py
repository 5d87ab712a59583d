"""Ports on 127.0.0.1: chosen once, remembered by the cell, checked before each start."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Mapping

from deploy.launcher.trouble import Trouble

HOST = "127.0.0.1"

LOW, HIGH = 20000, 32000
"""Below the range from which Linux takes the ports of outgoing connections, so that none of those is in the
way.
"""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def choose(names: Iterable[str], wanted: Mapping[str, int], remembered: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name: the wanted one, else the one of last time, else any.

    Raises Trouble when a wanted one is taken; one of last time that is taken is replaced.
    """
    chosen: dict[str, int] = {}
    for name in names:
        chosen[name] = _choose(name, wanted.get(name), remembered.get(name), set(chosen.values()))
    return chosen


def _choose(name: str, wanted: int | None, remembered: int | None, taken: set[int]) -> int:
    if wanted is not None:
        if wanted in taken or not is_free(wanted):
            raise Trouble(
                f"Port {wanted} for {name} is in use. "
                "Stop what uses it (ss -ltnp) or choose another with --port."
            )
        return wanted
    if remembered is not None and remembered not in taken and is_free(remembered):
        return remembered
    return free(taken)


def free(taken: Iterable[int] = ()) -> int:
    """A free port outside `taken`."""
    avoid = set(taken)
    for _ in range(1000):
        port = random.randrange(LOW, HIGH)  # noqa: S311 - no secret
        if port not in avoid and is_free(port):
            return port
    raise Trouble(f"No free port between {LOW} and {HIGH} on {HOST}. Stop what uses them (ss -ltnp).")
