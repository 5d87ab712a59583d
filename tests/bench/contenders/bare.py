"""Bare py-amqp: transient messages, no confirms, no acks, no content but bytes. The yardstick.

Messages are collected in the callback and published outside of it, as N19 demands of everybody.

    python -m tests.bench.contenders.bare server|client URL
"""

from __future__ import annotations

import sys
import time
import uuid
from collections import deque
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp

from tests.bench.contenders.echo import BODY
from tests.bench.turns import Played, Turn, played, take_turns

QUEUE = "bench.bare"
PREFETCH = 100


def connect(url: str, **options: Any) -> amqp.Connection:
    parts = urlsplit(url)
    connection = amqp.Connection(
        host=f"{parts.hostname}:{parts.port}",
        userid=parts.username,
        password=parts.password,
        virtual_host=unquote(parts.path[1:]) or "/",
        **options,
    )
    connection.connect()
    return connection


def serve(url: str) -> None:
    """Answer for ever."""
    connection = connect(url)
    channel = connection.channel()
    arrived: deque[amqp.Message] = deque()
    channel.queue_declare(QUEUE, auto_delete=True)
    channel.basic_qos(0, PREFETCH, False)
    channel.basic_consume(QUEUE, no_ack=True, callback=arrived.append)
    while True:
        connection.drain_events()
        while arrived:
            message = arrived.popleft()
            asked = message.properties
            reply = amqp.Message(message.body, correlation_id=asked["correlation_id"], delivery_mode=1)
            channel.basic_publish(reply, "", asked["reply_to"])


class Client:
    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self._channel = self._connection.channel()
        self._arrived: deque[amqp.Message] = deque()
        self._reply_to = self._channel.queue_declare("", exclusive=True).queue
        self._channel.queue_declare(QUEUE, auto_delete=True)
        self._channel.basic_consume(self._reply_to, no_ack=True, callback=self._arrived.append)
        self._sent: dict[str, float] = {}

    def play(self, turn: Turn) -> Played:
        latencies: list[float] = []
        began = time.perf_counter()
        end = began + turn.seconds
        for _ in range(turn.outstanding):
            self._send()
        while self._sent:
            self._connection.drain_events()
            while self._arrived:
                now = time.perf_counter()
                latencies.append(now - self._sent.pop(self._arrived.popleft().properties["correlation_id"]))
                if now < end:
                    self._send()
        return played(latencies, time.perf_counter() - began)

    def _send(self) -> None:
        correlation_id = uuid.uuid4().hex
        self._sent[correlation_id] = time.perf_counter()
        message = amqp.Message(BODY, correlation_id=correlation_id, reply_to=self._reply_to, delivery_mode=1)
        self._channel.basic_publish(message, "", QUEUE)


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2])
    take_turns(Client(sys.argv[2]).play, sys.stdin, sys.stdout)
