"""One socket of a pair under our transport, and the broker's end in the test's hands."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

from services.chassis.wire import Transport

Frame = tuple[int, int, bytes]


class Loop:
    """What an event loop does for a transport, a step at a time."""

    def __init__(self) -> None:
        self.soon: deque[Callable[[], None]] = deque()
        self.when_writable: deque[Callable[[], None]] = deque()

    def turn(self) -> None:
        for _ in range(len(self.soon)):
            self.soon.popleft()()

    def writable(self) -> None:
        for _ in range(len(self.when_writable)):
            self.when_writable.popleft()()


class Line:
    """A transport on a socket of a pair, and the broker's end."""

    def __init__(self) -> None:
        ours, self.broker = socket.socketpair()
        ours.setblocking(False)
        self.loop = Loop()
        self.transport = Transport("broker.invalid:5672")
        self.transport.sock, self.transport.connected = ours, True
        self.transport.go_async(self.loop.soon.append, self.loop.when_writable.append)

    def frame(self) -> Frame | None:
        """The next frame, if it is there."""
        try:
            return self.transport.read_frame()
        except BlockingIOError:
            return None

    def heard(self) -> bytes:
        """All that the broker can read now."""
        self.broker.setblocking(False)
        heard = b""
        try:
            while piece := self.broker.recv(1 << 20):
                heard += piece
        except BlockingIOError:
            pass
        return heard

    def close(self) -> None:
        self.broker.close()
        if self.transport.sock is not None:
            self.transport.sock.close()
            self.transport.sock = None
