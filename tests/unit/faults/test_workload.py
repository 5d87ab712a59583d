"""The clients write down what they were told, and give a command again until they are told its outcome."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.faults.checker import check
from tests.faults.history import Exchange, History
from tests.faults.workload import Workload
from tests.waiting import until


class Gateway(ThreadingHTTPServer):
    """Answers as the gateway does; `trouble` answers the first try of each command its own way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.lock = threading.Lock()
        self.trouble: Any = None
        self.crossed = False
        self.versions: dict[str, int] = {}
        self.outcomes: dict[str, int] = {}
        self.seen: set[str] = set()

    def change(self, note: str, key: str) -> int:
        with self.lock:
            if key not in self.outcomes:
                self.versions[note] = self.outcomes[key] = self.versions.get(note, 0) + 1
            return self.outcomes[key]


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/sayings"):
            return self._answer(200, {"text": "other" if self.server.crossed else body["text"]})
        note, key = self._note(), self.headers["Idempotency-Key"]
        if self.server.trouble and key not in self.server.seen:
            self.server.seen.add(key)
            return self.server.trouble(self, note, key)
        return self._answer(201, {"note_id": note, "version": self.server.change(note, key)})

    def do_GET(self) -> None:
        version = self.server.versions.get(self._note(), 0)
        if self.path.endswith("/mirror"):
            return self._answer(200, {"note_id": self._note(), "version": version, "applied": version})
        return self._answer(
            200 if version else 404, {"note_id": self._note(), "text": "", "version": version}
        )

    def refuse(self, note: str, _key: str) -> None:
        self._answer(422, {"code": "invalid"})

    def break_off(self, note: str, key: str) -> None:
        """The command takes effect, and its answer never arrives."""
        self.server.change(note, key)
        self.close_connection = True

    def be_busy(self, _note: str, _key: str) -> None:
        self._answer(503, {"code": "unavailable"})

    def _note(self) -> str:
        return re.findall(r"notes/([^/]+)", self.path)[0]

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def work(gateway: Gateway, commands: int) -> tuple[Exchange, ...]:
    load = Workload("run", *gateway.server_address[:2], clients=4, pause=0.005)
    load.start()
    try:
        until(lambda: sum(e.kind == "change" for e in load.so_far()) >= commands)
    finally:
        exchanges = load.stop(5)
    return exchanges


def test_it_mixes_reads_and_commands_and_all_are_answered(gateway: Gateway) -> None:
    exchanges = work(gateway, 40)
    assert {exchange.kind for exchange in exchanges} == {"say", "change", "get", "mirror"}
    assert all(exchange.good and not exchange.crossed for exchange in exchanges)
    assert {e.note for e in exchanges if e.note} >= {"run-0", "run-shared-0"}


@pytest.mark.parametrize("trouble", [Pages.be_busy, Pages.break_off])
def test_a_command_without_an_outcome_is_given_again_with_its_key(gateway: Gateway, trouble: Any) -> None:
    gateway.trouble = trouble
    commands = [exchange for exchange in work(gateway, 20) if exchange.kind == "change"]
    told = {exchange.key for exchange in commands if exchange.good}
    assert told == {exchange.key for exchange in commands} == set(gateway.outcomes)
    assert any(not exchange.good for exchange in commands)


def test_a_refused_command_is_not_given_again(gateway: Gateway) -> None:
    gateway.trouble = Pages.refuse
    commands = [exchange for exchange in work(gateway, 20) if exchange.kind == "change"]
    assert all(exchange.refused for exchange in commands)
    assert len({exchange.key for exchange in commands}) == len(commands)
    assert not gateway.outcomes


def test_an_answer_to_another_question_is_noticed(gateway: Gateway) -> None:
    gateway.crossed = True
    sayings = History(tuple(e for e in work(gateway, 20) if e.kind == "say"))
    assert {violation.what for violation in check(sayings)} == {"foreign"}


def test_nobody_there_is_a_bad_answer_and_no_wait(gateway: Gateway) -> None:
    gateway.shutdown()
    gateway.server_close()
    load = Workload("run", *gateway.server_address[:2], clients=2, pause=0.01)
    load.start()
    until(lambda: len(load.so_far()) > 10)
    exchanges = load.stop(0.1)
    assert all(e.status == 0 and not e.good and e.seconds is not None and e.seconds < 1 for e in exchanges)
