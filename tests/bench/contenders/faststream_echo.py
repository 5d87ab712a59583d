"""FastStream's request and reply over RabbitMQ, one pydantic model each way.

python -m tests.bench.contenders.faststream_echo server|client URL
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time

from faststream import FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from services.contracts.echo import Said, Say
from tests.bench.contenders.echo import PATIENCE, TEXT
from tests.bench.contenders.turns_aio import play_in_tasks, take_turns
from tests.bench.turns import Played, Turn

SAY = Say(text=TEXT)
QUEUE = RabbitQueue("bench.faststream", auto_delete=True)


def broker(url: str) -> RabbitBroker:
    logging.disable(logging.INFO)
    return RabbitBroker(url, logger=None, default_channel=Channel(prefetch_count=100))


async def serve(url: str) -> None:
    """Answer for ever."""
    answering = broker(url)

    @answering.subscriber(QUEUE)
    async def say(body: Say) -> Said:
        return Said(text=body.text)

    await FastStream(answering).run()


class Client:
    def __init__(self, asking: RabbitBroker) -> None:
        self._broker = asking

    async def wait_for_server(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return await self._say(1.0)
            except Exception:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.1)

    async def play(self, turn: Turn) -> Played:
        return await play_in_tasks(turn, lambda: self._say(5.0))

    async def _say(self, timeout: float) -> None:
        reply = await self._broker.request(SAY, QUEUE, timeout=timeout)
        said = Said.model_validate(await reply.decode())
        assert said.text == TEXT


async def main(url: str) -> None:
    async with broker(url) as asking:
        client = Client(asking)
        await client.wait_for_server()
        await take_turns(client.play)


if __name__ == "__main__":
    asyncio.run((serve if sys.argv[1] == "server" else main)(sys.argv[2]))
