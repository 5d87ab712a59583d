"""How a connection is kept up, whatever loop it is in: the pauses between dials, the silence that it dies of,
and when something may be written on it. Shared by `link.py` and `aio_link.py`."""

from __future__ import annotations

import random
from collections.abc import Callable

from services.chassis.wire import Connection
from services.contracts.errors import Busy, LinkDown, Unavailable

BACK_OFF_FIRST, BACK_OFF_MOST = 0.1, 1.0
STEADY = 5.0
"""Seconds after which a lost connection counts as a good one, and is dialled anew without a longer pause."""
SILENT_INTERVALS = 1.2
"""Heartbeat intervals in which nothing is heard before a connection is given up."""
LOOKS = 4
"""How often in an interval a heartbeat is sent, if need be, and silence looked for."""
LOOK_AGAIN = 0.1
"""Seconds before a silent connection is cut: this process may itself have been frozen, let the reader look
first."""


class BackOff:
    """Seconds to wait before the next dial: twice as many each time, less a part by chance."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._next, self._chance = BACK_OFF_FIRST, chance

    def lived(self, seconds: float) -> None:
        """The connection that is lost now had been up for so long."""
        if seconds > STEADY:
            self._next = BACK_OFF_FIRST

    def pause(self) -> float:
        now, self._next = self._next, min(self._next * 2, BACK_OFF_MOST)
        return now * (0.5 + 0.5 * self._chance())


def silent(connection: Connection, heartbeat: float) -> bool:
    """Nothing was heard on it for more than an interval; so of one that was released."""
    return connection.silent_for() > heartbeat * SILENT_INTERVALS


def check_writable(connection: Connection | None, blocked: bool) -> None:
    """Raises LinkDown, Unavailable (the broker takes nothing) or Busy (too much waits already)."""
    if connection is None:
        raise LinkDown
    if blocked:
        raise Unavailable(cause="the broker blocks publishers")
    if connection.full:
        raise Busy(cause="output buffer full")
