"""Gives commands to the echo service: `python -m tests.bench.contenders.events_chassis URL KEYS_DIR`."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from pathlib import Path

from services.chassis import logs
from services.chassis.aio import AsyncCalls
from services.contracts.echo import ChangeNote, NoteVersion
from services.contracts.errors import ConcordatError
from tests.bench.contenders.echo import PATIENCE
from tests.bench.contenders.notes import TEXT, Acknowledged, note_ids
from tests.bench.contenders.turns_aio import take_turns
from tests.bench.turns import Turn

NAME = "gateway"


class Client:
    def __init__(self, url: str, keys_dir: Path) -> None:
        self._calls = AsyncCalls([url], NAME, keys_dir)
        self._note_ids = note_ids()

    async def start(self) -> None:
        """Return once the server answers."""
        await self._calls.start()
        give_up = time.monotonic() + PATIENCE
        while (await self.play(Turn(1, 0.0))).failed:
            if time.monotonic() > give_up:
                raise TimeoutError
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        await self._calls.stop()

    async def play(self, turn: Turn) -> Acknowledged:
        done = Acknowledged(time.time())
        await (self._paced(turn, done) if turn.per_second else self._as_many(turn, done))
        return done

    async def _as_many(self, turn: Turn, done: Acknowledged) -> None:
        async def keep_changing() -> None:
            while True:
                await self._change(done)
                if time.time() >= done.began + turn.seconds:
                    return

        await asyncio.gather(*(keep_changing() for _ in range(turn.outstanding)))

    async def _paced(self, turn: Turn, done: Acknowledged) -> None:
        async with asyncio.TaskGroup() as changing:
            for number in range(int(turn.seconds * turn.per_second)):
                await asyncio.sleep(done.began + number / turn.per_second - time.time())
                changing.create_task(self._change(done))

    async def _change(self, done: Acknowledged) -> None:
        request = ChangeNote(note_id=next(self._note_ids), text=TEXT)
        try:
            made = await self._calls.command(
                "echo", "change_note", request, key=uuid.uuid4().hex, reply=NoteVersion
            )
        except ConcordatError:
            done.failed += 1
        else:
            done.changes.append((made.note_id, made.version, time.time()))


async def main(url: str, keys_dir: str) -> None:
    logs.configure(NAME, "bench", "error")
    client = Client(url, Path(keys_dir))
    await client.start()
    await take_turns(client.play)
    await client.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
