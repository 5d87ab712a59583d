"""A TCP proxy that can leave connections half open: nothing passes any more, and neither end is told."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

HOST = "127.0.0.1"


class _End(asyncio.Protocol):
    """One end of a connection; what arrives here leaves at the other."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None and not self.silent:
            self.other.transport.write(data)

    def connection_lost(self, _problem: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None and not self.silent:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.silent:
            self.other.transport.resume_reading()

    def silence(self) -> None:
        """From now on the peer's bytes stay in its socket, unread, and its end is not passed on."""
        self.silent = True
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()


class _Front(_End):
    """The end that a client connected to."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.pause_reading()
        self._proxy.ends.add(self)
        self._dialling = asyncio.ensure_future(self._dial())

    def connection_lost(self, problem: Exception | None) -> None:
        self._proxy.ends.discard(self)
        super().connection_lost(problem)

    async def _dial(self) -> None:
        assert self.transport is not None
        back = _End()
        back.other = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: back, HOST, self._proxy.target)
        except OSError:
            self.transport.abort()
            return
        self.other = back
        if self.silent:
            back.silence()
        elif not self.transport.is_closing():
            self.transport.resume_reading()
        elif back.transport is not None:
            back.transport.close()


class Proxy:
    """Listens on a free port of 127.0.0.1 from construction until `close`, and passes on to `target`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.ends: set[_Front] = set()
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._serving = threading.Event()
        self._thread = threading.Thread(target=self._main, name=f"proxy to {target}", daemon=True)
        self._thread.start()
        # A stop that came before the server was made would leave the port open.
        self._serving.wait(5)

    def half_open(self) -> int:
        """Leave every present connection open and dead; new ones work. Returns how many there were."""
        return self._run(self._silence)

    def cut(self) -> int:
        """Close every present connection at both ends, the dead ones too."""
        return self._run(self._abort)

    def close(self) -> None:
        """Stop listening and close everything."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    def _silence(self) -> int:
        live = [front for front in self.ends if not front.silent]
        for front in live:
            front.silence()
            if front.other is not None:
                front.other.silence()
        return len(live)

    def _abort(self) -> int:
        fronts = list(self.ends)
        for front in fronts:
            for end in (front, front.other):
                if end is not None and end.transport is not None:
                    end.transport.abort()
        return len(fronts)

    def _run(self, action: Any) -> int:
        """Run on the proxy's thread and wait for the result."""
        done: Future[int] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(action()))
        return done.result(5)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Front(self), sock=self._listening)
        )
        self._loop.call_soon(self._serving.set)
        self._loop.run_forever()
        server.close()
        self._abort()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
