"""The chassis's client for the gateway: asyncio.

python -m tests.bench.contenders.chassis_aio URL KEYS_DIR
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from services.chassis import logs
from services.chassis.aio import AsyncCalls
from services.contracts.caller import SignedCaller
from services.contracts.echo import Said, Say
from services.contracts.errors import Unavailable
from tests.bench.contenders.echo import PATIENCE, TEXT
from tests.bench.contenders.turns_aio import play_in_tasks, take_turns
from tests.bench.contenders.vouching import REQUEST_ID, Authority
from tests.bench.turns import Played, Turn

NAME = "gateway"
SAY = Say(text=TEXT)


class Client:
    def __init__(self, url: str, keys_dir: Path) -> None:
        self._calls = AsyncCalls([url], NAME, keys_dir)
        self._authority = Authority(keys_dir)

    async def start(self) -> None:
        """Return once the server answers."""
        await self._calls.start()
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return await self._say(self._authority.vouch(SAY))
            except Unavailable:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        await self._calls.stop()

    async def play(self, turn: Turn) -> Played:
        caller = self._authority.vouch(SAY)
        return await play_in_tasks(turn, lambda: self._say(caller))

    async def _say(self, caller: SignedCaller) -> None:
        said = await self._calls.call("echo", "say", SAY, reply=Said, caller=caller, request_id=REQUEST_ID)
        assert said.text == TEXT


async def main(url: str, keys_dir: str) -> None:
    logs.configure(NAME, "bench", "error")
    client = Client(url, Path(keys_dir))
    await client.start()
    await take_turns(client.play)
    await client.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
