"""py-amqp's connection with buffered input and a bounded, never-blocking output.

py-amqp reads nine times and writes once a message, and a write blocks while the broker reads nothing. Here
input is read in large pieces, and output is gathered and sent once per turn of the event loop, whichever loop
that is: `schedule` and `when_writable` are all that differs between eventlet and asyncio.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from struct import unpack_from
from typing import Any, cast

import amqp
from amqp.exceptions import RecoverableConnectionError, UnexpectedFrame
from amqp.transport import TCPTransport

from services.chassis import writing
from services.chassis.frames import frame_handler
from services.contracts.errors import LinkDown

READ_SIZE = 65536
FRAME_MOST = 1024 * 1024
"""Bytes of a frame; brokers use 128 KiB. A length beyond it is nonsense, and not waited for."""
OUTPUT_LIMIT = 8 * 1024 * 1024
"""Bytes that may wait for a broker that reads slowly; beyond it callers are told to come back later."""
FRAME_END = 206
_AT_ONCE = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


class Transport(TCPTransport):  # type: ignore[misc]
    """One socket. Until `go_async` is called, writes go straight out, which the handshake needs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._input = bytearray()
        self._start = 0
        self._output = bytearray()
        self._flushing = False
        self._schedule: Callable[[Callable[[], None]], object] | None = None
        self._when_writable: Callable[[Callable[[], None]], object] | None = None
        self._raw: socket.socket | None = None
        self.heard_at = time.monotonic()

    def go_async(
        self,
        schedule: Callable[[Callable[[], None]], object],
        when_writable: Callable[[Callable[[], None]], object],
    ) -> None:
        """From now on `write` only appends, and `flush` runs once in the loop's next turn."""
        self._schedule, self._when_writable = schedule, when_writable
        self._raw = getattr(self.sock, "fd", self.sock)  # eventlet's socket keeps the real one in fd

    def read_frame(self, unpack: Any = None) -> tuple[int, int, bytes]:
        """Return the next frame. What the socket raises when nothing is there passes through, nothing is
        lost."""
        while True:
            data, start = self._input, self._start
            have = len(data) - start
            if have >= 8:
                kind, channel, size = unpack_from(">BHI", data, start)
                if size > FRAME_MOST:
                    raise UnexpectedFrame(f"frame of {size} bytes")
                if have >= size + 8:
                    end = start + 7 + size
                    if data[end] != FRAME_END:
                        raise UnexpectedFrame(f"frame ends with {data[end]:#04x}")
                    self._start = end + 1
                    return kind, channel, bytes(data[start + 7 : end])
            self._fill()

    def _fill(self) -> None:
        piece = (self._raw or self.sock).recv(READ_SIZE)
        if not piece:
            raise ConnectionResetError("the broker closed the connection")
        self.heard_at = time.monotonic()
        if self._start == len(self._input):
            self._input = bytearray(piece)
        else:
            del self._input[: self._start]
            self._input += piece
        self._start = 0

    def write(self, data: bytes | memoryview) -> None:
        if self._schedule is None:
            super().write(data)
            return
        self._output += data
        if not self._flushing:
            self._flushing = True
            self._schedule(self.flush)

    @property
    def full(self) -> bool:
        return len(self._output) > OUTPUT_LIMIT

    @property
    def unsent(self) -> int:
        return len(self._output)

    def flush(self) -> None:
        """Send what the socket takes; the rest when it can take more. A broken socket is left to the reader
        to find."""
        if self.sock is None or self._raw is None:
            return
        try:
            sent = self._raw.send(self._output, _AT_ONCE)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._output.clear()
            self._flushing = False
            return
        del self._output[:sent]
        if self._output and self._when_writable is not None:
            self._when_writable(self.flush)
        else:
            self._flushing = False


class Connection(amqp.Connection):  # type: ignore[misc]
    """py-amqp's connection on our transport. Only plain TCP: content is sealed above it.

    `cut` may be called by anybody, whoever reads then finds out and MUST `release`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(frame_handler=frame_handler, **options)

    @property
    def wire(self) -> Transport:
        """Raises RecoverableConnectionError once released."""
        return cast(Transport, self.transport)

    def Transport(self, host: str, connect_timeout: float | None, *_: Any, **options: Any) -> Transport:
        return Transport(
            host, connect_timeout=connect_timeout, socket_settings=options.get("socket_settings")
        )

    def _warn_force_connect(self, attr: str) -> None:
        """py-amqp would dial anew, wherever it is, when a released connection is used."""
        raise RecoverableConnectionError("connection already closed")

    def read_one(self) -> None:
        """Handle one frame without py-amqp's per-read timeout bookkeeping, and without its properties."""
        transport, handle = self._transport, self._on_inbound_frame
        if transport is None or handle is None:
            raise RecoverableConnectionError("connection already closed")
        handle(transport.read_frame())

    @property
    def full(self) -> bool:
        return self._transport is not None and self._transport.full

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken."""
        return self._transport.unsent if self._transport is not None else 0

    def silent_for(self) -> float:
        """Seconds since anything was heard; for ever, once released."""
        return time.monotonic() - self._transport.heard_at if self._transport is not None else float("inf")

    def cut(self) -> None:
        """End the connection at once. Closing politely waits for a broker that may be frozen (N7).

        The socket stays open until `release`: closed under a greenlet that waits for it, that one would never
        wake.
        """
        sock = None if self._transport is None else self._transport.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Close the socket and forget the channels; harmless when repeated."""
        self.cut()
        self.collect()


def publish(
    channel: amqp.Channel,
    exchange: str,
    routing_key: str,
    body: bytes,
    properties: dict[str, Any],
    *,
    mandatory: bool,
) -> None:
    """Write one basic.publish. Channel.basic_publish would first drain incoming events, recursively (N19).

    Raises LinkDown on a connection that was released.
    """
    connection = channel.connection
    if connection is None:
        raise LinkDown(cause="the connection is closed")
    frames = None
    if len(body) <= connection.frame_max - writing.FRAME_OVERHEAD:
        frames = writing.publish(
            channel.channel_id, exchange, routing_key, body, properties, mandatory=mandatory
        )
    if frames is not None:
        connection.wire.write(frames)
    else:
        arguments = (0, exchange, routing_key, mandatory, False)
        channel.send_method((60, 40), "Bssbb", arguments, amqp.Message(body, **properties))


def acknowledge(message: amqp.Message) -> None:
    """Write one basic.ack; nothing after the connection was released: the broker has it back already."""
    channel = message.channel
    if channel.connection is not None:
        frame = writing.ack(channel.channel_id, message.delivery_info["delivery_tag"])
        channel.connection.wire.write(frame)


def watch_returns(channel: amqp.Channel, returned: Callable[[str], None]) -> None:
    """Have the correlation id of each message that no queue took given to `returned` (N21)."""

    def on_return(_problem: Exception, _exchange: str, _key: str, message: amqp.Message) -> None:
        returned(message.properties.get("correlation_id", ""))

    channel.events["basic_return"].add(on_return)
