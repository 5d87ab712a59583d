"""Open a broker connection and prepare it, in a greenlet or in a thread: it may wait, each wait is
bounded."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kombu.utils.url import parse_url

from services.chassis.wire import Connection

CONNECT_SECONDS = 2.5
"""For each step of the handshake and the preparation: a frozen broker takes a connection and says nothing."""


@dataclass(slots=True)
class Attachment:
    """A user of a connection. `setup` declares and consumes on each new one; `lost` is told when it is gone.

    `lost` also follows a `setup` that failed, or another user's that did. Callbacks that `setup` registers
    run where frames are read: they MUST NOT wait or publish with py-amqp (N19).
    """

    setup: Callable[[Connection], None]
    lost: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Notices:
    """What the broker says of a connection as a whole."""

    blocked: bool = False


def dial(
    url: str, heartbeat: float, name: str, attachments: Iterable[Attachment], notices: Notices
) -> Connection:
    """Return a prepared connection, or raise what the socket or the broker says."""
    parts = parse_url(url)
    if parts["transport"] != "amqp":
        raise ValueError("only amqp:// addresses: TLS would be ended by a proxy beside the process")

    def on_blocked(reason: str) -> None:
        notices.blocked = True

    def on_unblocked() -> None:
        notices.blocked = False

    connection = Connection(
        host=f"{parts['hostname']}:{parts['port'] or 5672}",
        userid=parts["userid"],
        password=parts["password"],
        virtual_host=parts["virtual_host"] or "/",
        login_method="PLAIN",
        heartbeat=heartbeat,
        connect_timeout=CONNECT_SECONDS,
        client_properties={"connection_name": name},
        socket_settings={socket.TCP_NODELAY: 1},
        on_blocked=on_blocked,
        on_unblocked=on_unblocked,
    )
    try:
        connection.connect()
        connection.wire.sock.settimeout(CONNECT_SECONDS)
        for attachment in attachments:
            attachment.setup(connection)
    except BaseException:
        connection.release()
        raise
    return connection
