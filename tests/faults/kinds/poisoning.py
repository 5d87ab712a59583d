"""Every shape of poison, thrown among the true messages of a running system."""

from __future__ import annotations

import base64
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import amqp

from services.chassis.sealing import Keyring
from services.chassis.topology import CALLS, event_exchange
from tests.faults.fault import Breakage
from tests.faults.poison import events, replies, requests
from tests.faults.poison.shapes import DEAD_QUEUES, Material, Shape
from tests.faults.stage import Stage, pause, wait_for

SHAPES: tuple[Shape, ...] = (*requests.SHAPES, *events.SHAPES, *replies.SHAPES)
CALL_SECONDS = 4.0


class Poisoning(Breakage):
    """Each of `shapes` once. Those that nobody can handle MUST be put aside, and only those."""

    def __init__(self, shapes: Sequence[Shape] = SHAPES) -> None:
        self.name, self._shapes = f"{len(shapes)} shapes of poison message", shapes

    def inject(self, stage: Stage) -> None:
        material = gather(stage)
        with stage.channel() as channel:
            self._before = dead_letters(channel)
            for shape in self._shapes:
                sent = shape.make(material)
                channel.basic_publish(sent.message, sent.exchange, sent.routing_key)
            # A round trip: a socket closed with answers unread takes back what the broker has not read.
            dead_letters(channel)

    def end(self, stage: Stage) -> None:
        expected = Counter(DEAD_QUEUES[shape.fate] for shape in self._shapes if shape.fate in DEAD_QUEUES)
        with stage.channel() as channel:
            found: Counter[str] = Counter()

            def all_put_aside() -> bool:
                found.clear()
                found.update(dead_letters(channel) - self._before)
                return found == expected

            if not wait_for(all_put_aside, 20) or not _stays(all_put_aside, 1.0):
                raise RuntimeError(f"poison put aside: {dict(found)}, expected: {dict(expected)}")


def dead_letters(channel: amqp.Channel) -> Counter[str]:
    """How many messages lie in each dead-letter queue."""
    return Counter(
        {queue: channel.queue_declare(queue, passive=True).message_count for queue in DEAD_QUEUES.values()}
    )


def gather(stage: Stage) -> Material:
    """Overhear true messages for some seconds, and make false keys."""
    names = [row["name"] for row in stage.api().queues()]
    reply_queue = next(name for name in names if name.startswith("rpc.reply-gateway-"))
    expired = overhear(stage, CALLS, "echo.change_note")
    pause(CALL_SECONDS + 0.5)
    event = overhear(stage, event_exchange("echo"), "#")
    reply = overhear(stage, CALLS, reply_queue)
    request = overhear(stage, CALLS, "echo.change_note")
    pause(1.0)  # it is answered and applied by now, and still young
    true, own = stage.cell.keys_dir, stage.cell.places.root / "false-keys"
    kid = json.loads((true / "gateway" / "private.json").read_text())[0]["kid"]
    return Material(
        request=request,
        expired=expired,
        event=event,
        reply=reply,
        reply_queue=reply_queue,
        honest=Keyring(true, "gateway"),
        false=without_right(true, own / "false", "gateway", kid),
        unknown=without_right(true, own / "unknown", "stranger", "0badcafe"),
        deadline=int((time.time() + CALL_SECONDS) * 1000),
    )


def without_right(true: Path, folder: Path, name: str, kid: str) -> Keyring:
    """A keyring that knows everybody's public key, and has a private one that nobody knows."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "public.json").write_text((true / "public.json").read_text())
    key = base64.b64encode(os.urandom(32)).decode()
    (folder / name / "private.json").write_text(
        json.dumps([{"kid": kid, "key": key, "from": 0, "until": None}])
    )
    return Keyring(folder, name)


def overhear(stage: Stage, exchange: str, pattern: str, seconds: float = 10.0) -> amqp.Message:
    """A copy of the next message that goes by. Raises LookupError when none does."""
    found: list[amqp.Message] = []
    with stage.channel() as channel:
        channel.auto_decode = False
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, exchange, pattern)
        channel.basic_consume(queue, no_ack=True, callback=found.append)
        until = time.monotonic() + seconds
        while not found and time.monotonic() < until:
            with suppress(TimeoutError):
                channel.connection.drain_events(timeout=0.5)
    if not found:
        raise LookupError(f"no message went by on {exchange}")
    return found[0]


def _stays(condition: Callable[[], bool], seconds: float) -> bool:
    """Nothing more is put aside later."""
    return not wait_for(lambda: not condition(), seconds)
