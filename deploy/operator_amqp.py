"""The operator's own connection to the broker, for what its management API cannot do."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import amqp

CONFIRM_SECONDS = 10


def connected(url: str) -> Any:
    """To the first broker of the list that answers. Raises OSError or amqp.AMQPError."""
    trouble: Exception = OSError("no broker is named")
    for one in url.split(","):
        parts = urlsplit(one.strip())
        connection = amqp.Connection(
            f"{parts.hostname}:{parts.port or 5672}",
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
            virtual_host=unquote(parts.path[1:]) or "/",
            connect_timeout=5,
            read_timeout=CONFIRM_SECONDS,
            write_timeout=CONFIRM_SECONDS,
        )
        try:
            connection.connect()
        except OSError as error:
            trouble = error
        else:
            return connection
    raise trouble
