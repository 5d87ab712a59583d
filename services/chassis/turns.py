"""Reading in turns, whichever the event loop: a few frames, then everybody else, then the next few."""

from __future__ import annotations

from collections.abc import Callable

from services.chassis.wire import Connection

TURN = 30
"""Frames read before others get their turn: ten messages, about a millisecond. More at once would keep others
waiting; with half as many, calls cost a sixth more, in system calls and in waking the broker and the peer."""


class Turns:
    """Reads one connection, so that whoever sends without end keeps nobody from running."""

    def __init__(
        self,
        connection: Connection,
        schedule: Callable[[Callable[[], None]], object],
        lost: Callable[[Exception], None],
    ) -> None:
        """`schedule` has something run in the loop's next turn; `lost` is told once, what ended the
        connection."""
        self._connection, self._schedule, self._lost = connection, schedule, lost
        self._scheduled = self._ended = False

    def begin(self) -> None:
        """What came with the broker's last answer is already in our buffer: no loop will tell of it."""
        self._go_on_later()

    def readable(self, *_: object) -> None:
        """For the loop, whenever there is something to read."""
        if not self._scheduled:
            self._read()

    def end(self) -> None:
        """Read nothing more."""
        self._ended = True

    def _go_on_later(self) -> None:
        self._scheduled = True
        self._schedule(self._go_on)

    def _go_on(self) -> None:
        self._scheduled = False
        self._read()

    def _read(self) -> None:
        if self._ended:
            return
        try:
            for _ in range(TURN):
                self._connection.read_one()
        except BlockingIOError:
            return
        except Exception as problem:
            self._ended = True
            self._lost(problem)
        else:
            self._go_on_later()
