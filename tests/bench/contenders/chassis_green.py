# ruff: noqa: E402 - patching comes before every other import
"""The chassis's client for services: greenlets over two links.

python -m tests.bench.contenders.chassis_green URL KEYS_DIR
"""

from __future__ import annotations

import os

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")

import eventlet

eventlet.monkey_patch()

import sys
from pathlib import Path

from services.chassis import logs
from services.chassis.calls import ask
from services.chassis.client import GreenCalls
from services.chassis.formats import Sealed
from services.chassis.link import Link
from services.chassis.sealing import Keyring
from services.contracts.caller import SignedCaller
from services.contracts.echo import Said, Say
from services.contracts.errors import Unavailable
from tests.bench.contenders.echo import PATIENCE, TEXT
from tests.bench.contenders.turns_green import play_in_greenlets, take_turns
from tests.bench.contenders.vouching import REQUEST_ID, Authority
from tests.bench.turns import Played, Turn
from tests.waiting import until

NAME = "gateway"
SAY = Say(text=TEXT)


class Client:
    def __init__(self, url: str, keys_dir: Path) -> None:
        consuming, publishing = Link([url], "consuming", label=NAME), Link([url], "publishing", label=NAME)
        self._calls = GreenCalls(NAME, consuming, publishing, Sealed(Keyring(keys_dir, NAME)))
        self._authority = Authority(keys_dir)
        for part in (consuming, publishing, self._calls):
            part.start()

    def wait_for_server(self) -> None:
        def answers() -> bool:
            try:
                self._say(self._authority.vouch(SAY))
            except Unavailable:
                return False
            return True

        until(answers, PATIENCE, every=0.1)

    def play(self, turn: Turn) -> Played:
        caller = self._authority.vouch(SAY)
        return play_in_greenlets(turn, lambda: self._say(caller))

    def _say(self, caller: SignedCaller) -> None:
        asked = ask("echo.say", SAY, reply=Said, patience=4.0, caller=caller, request_id=REQUEST_ID)
        said = self._calls.call(asked)
        assert said.text == TEXT


def main(url: str, keys_dir: str) -> None:
    logs.configure(NAME, "bench", "error")
    client = Client(url, Path(keys_dir))
    client.wait_for_server()
    take_turns(client.play)


if __name__ == "__main__":
    main(*sys.argv[1:])
