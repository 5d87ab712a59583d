"""A broker connection that stays up, for asyncio: dialled in a thread, read when readable. The twin of
`link.py`."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import amqp

from services.chassis import metrics
from services.chassis.dial import Attachment, Notices, dial
from services.chassis.formats import EXCHANGE
from services.chassis.logs import log
from services.chassis.turns import Turns
from services.chassis.upkeep import LOOK_AGAIN, LOOKS, BackOff, check_writable, silent
from services.chassis.wire import Connection, publish


class AsyncLink:
    """One AMQP connection kept up by a task. The counterpart of `link.Link`; `setup` runs in a thread."""

    def __init__(
        self, urls: Sequence[str], name: str, *, label: str, heartbeat: float, attachment: Attachment
    ) -> None:
        self.name, self._label = name, label
        self._urls = itertools.cycle(urls)
        self._heartbeat = heartbeat
        self._attachment = attachment
        self._connection: Connection | None = None
        self._fd = -1
        self._notices = Notices()
        self._lost = asyncio.Event()
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._let_go()

    @property
    def up(self) -> bool:
        return self._up.is_set()

    @property
    def blocked(self) -> bool:
        return self._notices.blocked

    async def wait_up(self, seconds: float) -> bool:
        if not self.up and seconds > 0:
            try:
                await asyncio.wait_for(self._up.wait(), seconds)
            except TimeoutError:
                return False
        return self.up

    def publish(self, channel: amqp.Channel, route: str, body: bytes, properties: dict[str, Any]) -> None:
        """Buffer one mandatory message. Raises LinkDown, Busy or Unavailable at once; never waits."""
        check_writable(self._connection, self._notices.blocked)
        publish(channel, EXCHANGE, route, body, properties, mandatory=True)

    async def _keep_up(self) -> None:
        back_off = BackOff()
        while True:
            try:
                await self._dial()
                began = time.monotonic()
                try:
                    await self._watch()
                finally:
                    back_off.lived(time.monotonic() - began)
            except Exception as problem:
                log.warning("link_not_made", state=self.name, exc_info=problem)
            finally:
                self._let_go()
            await asyncio.sleep(back_off.pause())

    async def _dial(self) -> None:
        notices, url = Notices(), next(self._urls)
        dialling = asyncio.get_running_loop().run_in_executor(
            None, dial, url, self._heartbeat, self._label, [self._attachment], notices
        )
        try:
            connection = await asyncio.shield(dialling)
        except asyncio.CancelledError:
            dialling.add_done_callback(_release)
            raise
        loop = asyncio.get_running_loop()
        connection.wire.sock.settimeout(0)
        fd = connection.wire.sock.fileno()
        connection.wire.go_async(loop.call_soon, lambda flush: loop.add_writer(fd, self._flush, fd, flush))
        self._notices, self._connection, self._fd = notices, connection, fd
        self._lost = asyncio.Event()
        self._turns = Turns(connection, loop.call_soon, self._broke)
        loop.add_reader(fd, self._turns.readable)
        self._turns.begin()
        self._up.set()
        metrics.link_up(self.name, True)

    @staticmethod
    def _flush(fd: int, flush: Callable[[], None]) -> None:
        asyncio.get_running_loop().remove_writer(fd)
        flush()

    def _broke(self, problem: Exception) -> None:
        log.warning("link_lost", state=self.name, exc_info=problem)
        self._let_go()

    async def _watch(self) -> None:
        """Until the connection is lost: send heartbeats, and cut it when nothing is heard for more than one
        interval."""
        lost = self._lost
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), self._heartbeat / LOOKS)
                return
            except TimeoutError:
                pass
            connection = self._connection
            if connection is None:
                return
            if silent(connection, self._heartbeat):
                await asyncio.sleep(LOOK_AGAIN)
                if silent(connection, self._heartbeat):
                    log.warning("link_silent", state=self.name)
                    return
            connection.send_heartbeat()

    def _let_go(self) -> None:
        """Forget the connection, and tell. Repeated it does nothing."""
        connection, self._connection = self._connection, None
        self._up.clear()
        self._lost.set()
        if connection is not None:
            # By number: py-amqp closes the socket itself when the broker says good-bye, and the loop would go
            # on watching a number that the next connection then gets.
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._fd)
            loop.remove_writer(self._fd)
            connection.release()
            metrics.link_up(self.name, False)
            self._attachment.lost()


def _release(dialled: asyncio.Future[Connection]) -> None:
    if not dialled.cancelled() and dialled.exception() is None:
        dialled.result().release()
