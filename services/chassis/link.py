"""A broker connection that stays up, for greenlets: dial, read, watch, dial again."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import amqp
import eventlet
from eventlet.event import Event
from eventlet.hubs import get_hub, trampoline

from services.chassis import metrics
from services.chassis.dial import Attachment, Notices, dial
from services.chassis.logs import log
from services.chassis.reading import read_until_lost
from services.chassis.upkeep import LOOK_AGAIN, LOOKS, BackOff, check_writable, silent
from services.chassis.wire import Connection, Transport, publish, watch_returns
from services.contracts.errors import LinkDown


class Link:
    """One AMQP connection, opened anew whenever it is lost, with every attachment set up again.

    `publish` never waits: bytes go to a bounded buffer. Nothing is promised about delivery; who needs a
    promise uses confirms (`confirms.py`) or waits for a reply (`client.py`).
    """

    def __init__(self, urls: Sequence[str], name: str, *, label: str = "", heartbeat: float = 4.0) -> None:
        """`name` tells the links of a process apart; `label` is what the broker lists the connection as."""
        self.name, self._label = name, f"{label}-{name}"
        self._urls = itertools.cycle(urls)
        self._heartbeat = heartbeat
        self._attachments: list[Attachment] = []
        self._on_return: list[Callable[[str], None]] = []
        self._connection: Connection | None = None
        self._channel: amqp.Channel | None = None
        self._notices = Notices()
        self._came_up = Event()
        self._stopping = False
        self._threads: list[Any] = []

    def attach(self, setup: Callable[[Connection], None], lost: Callable[[], None] = lambda: None) -> None:
        """Have `setup` run on every new connection. MUST be called before `start`."""
        self._attachments.append(Attachment(setup, lost))

    def watch_returns(self, returned: Callable[[str], None]) -> None:
        """Have the correlation ids of mandatory messages that no queue took given to `returned`."""
        self._on_return.append(returned)

    def start(self) -> None:
        if not self._threads:
            self._threads = [eventlet.spawn(self._keep_up), eventlet.spawn(self._watch)]

    def stop(self) -> None:
        """Send what is buffered (bounded), then drop the connection."""
        self._stopping = True
        give_up = time.monotonic() + 2
        while self._connection is not None and self._connection.unsent and time.monotonic() < give_up:
            eventlet.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        """Drop the connection and dial no more."""
        self._stopping = True
        for thread in self._threads:
            thread.kill()
        self._threads = []

    @property
    def up(self) -> bool:
        return self._channel is not None

    @property
    def blocked(self) -> bool:
        """The broker takes no publishes on this connection (disk or memory alarm)."""
        return self._notices.blocked

    def wait_up(self, seconds: float) -> bool:
        """Wait at most `seconds` for the connection; say whether it is there."""
        give_up = time.monotonic() + seconds
        while self._channel is None and (left := give_up - time.monotonic()) > 0:
            self._came_up.wait(left)
        return self._channel is not None

    @property
    def channel(self) -> amqp.Channel:
        """The link's own channel; raises LinkDown while there is none."""
        if self._channel is None:
            raise LinkDown
        return self._channel

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: dict[str, Any],
        mandatory: bool = False,
    ) -> None:
        """Buffer one message. Raises LinkDown, Busy (buffer full) or Unavailable (broker takes nothing) at
        once."""
        channel = self.channel
        check_writable(self._connection, self._notices.blocked)
        publish(channel, exchange, routing_key, body, properties, mandatory=mandatory)

    def drop(self) -> None:
        """Cut the connection; the keeper dials anew."""
        if self._connection is not None:
            self._connection.cut()

    def _keep_up(self) -> None:
        back_off = BackOff()
        while not self._stopping:
            try:
                self._dial()
            except Exception as problem:
                log.warning("link_not_made", state=self.name, exc_info=problem)
                self._tell_lost()
            else:
                back_off.lived(self._read_until_lost())
            eventlet.sleep(back_off.pause())

    def _dial(self) -> None:
        notices = Notices()
        connection = dial(next(self._urls), self._heartbeat, self._label, self._attachments, notices)
        try:
            channel = connection.channel()
            for returned in self._on_return:
                watch_returns(channel, returned)
            connection.wire.sock.settimeout(None)
        except BaseException:
            connection.release()
            raise
        connection.wire.go_async(_schedule, partial(_when_writable, connection.wire))
        self._notices, self._connection, self._channel = notices, connection, channel
        metrics.link_up(self.name, True)
        came_up, self._came_up = self._came_up, Event()
        came_up.send(True)

    def _read_until_lost(self) -> float:
        """Return for how many seconds the connection lived."""
        connection, began = self._connection, time.monotonic()
        assert connection is not None
        try:
            read_until_lost(connection)
        except Exception as problem:
            if not self._stopping:
                log.warning("link_lost", state=self.name, exc_info=problem)
        finally:
            self._channel, self._connection = None, None
            connection.release()
            metrics.link_up(self.name, False)
            self._tell_lost()
        return time.monotonic() - began

    def _tell_lost(self) -> None:
        for attachment in self._attachments:
            try:
                attachment.lost()
            except Exception as problem:  # one user's fault must not cost the others the connection for good
                log.error("lost_callback_failed", state=self.name, exc_info=problem)

    def _watch(self) -> None:
        """Send heartbeats and cut a connection on which nothing was heard for more than one interval."""
        while True:
            eventlet.sleep(self._heartbeat / LOOKS)
            connection = self._connection
            if connection is None:
                continue
            if silent(connection, self._heartbeat):
                eventlet.sleep(LOOK_AGAIN)
                if silent(connection, self._heartbeat):
                    connection.cut()
                    continue
            try:
                connection.send_heartbeat()
            except Exception:
                connection.cut()


def _schedule(flush: Callable[[], None]) -> None:
    get_hub().schedule_call_global(0, flush)


def _when_writable(wire: Transport, flush: Callable[[], None]) -> None:
    def wait_and_flush() -> None:
        with suppress(Exception):  # closed meanwhile: flush finds out
            trampoline(wire.sock, write=True)
        flush()

    eventlet.spawn(wait_and_flush)
