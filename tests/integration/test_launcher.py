"""`concordat` as its user meets it: one run of everything, broken and mended, stopped and started again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp
import httpx
import pytest

from deploy.launcher import listeners, sweep
from deploy.launcher.cell import Cell, remembered
from deploy.launcher.programs import Process
from services.contracts.directory import SERVICES
from tests.cell import running
from tests.waiting import until

CONCORDAT = Path(sys.executable).with_name("concordat")

pytestmark = pytest.mark.timeout(90)


def concordat(folder: Path, *arguments: str, expect: int = 0, **environment: str) -> str:
    """Run a command on the cell under `folder`; returns all that it printed."""
    words = [*arguments, "--data", str(folder)]
    done = subprocess.run(
        [CONCORDAT, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=80,
        env={**os.environ, "COLUMNS": "150", **environment},
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


UP = ("up", "--echo", *(f"-c{name}=0" for name in ("sharing", "cases", "audit", "notify")))
"""The proving ground is enough to see what the launcher does. `test_main_job.py` has the demonstration."""


@dataclass
class Demo:
    """A run of `concordat up` with the proving ground alone."""

    folder: Path
    said: str
    seconds: float

    @property
    def cell(self) -> Cell:
        return remembered(self.folder)

    def __call__(self, *arguments: str, expect: int = 0) -> str:
        return concordat(self.folder, *arguments, expect=expect)

    def process(self, name: str) -> Process:
        return self.cell.processes(ask_ready=True)[name]

    def change(self, note: str, key: str) -> httpx.Response:
        url = f"{self.cell.url}api/v1/echo/notes/{note}/changes"
        return httpx.post(url, json={"text": "x"}, headers={"Idempotency-Key": key}, timeout=10)

    def applied(self, note: str) -> int:
        answer = httpx.get(f"{self.cell.url}api/v1/echo/notes/{note}/mirror", timeout=10)
        return int(answer.json().get("applied", 0))


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    folder = Path(tempfile.mkdtemp(prefix="launcher-"))
    began = time.monotonic()
    try:
        said = concordat(folder, *UP)
        yield Demo(folder, said, time.monotonic() - began)
    finally:
        remembered(folder).down(kill=True)
        shutil.rmtree(folder, ignore_errors=True)


# -- it runs ----------------------------------------------------------------------------------------------


def test_what_was_started_works(demo: Demo) -> None:
    print(f"first start: {demo.seconds:.1f} s")
    assert demo.change("first", "try").json() == {"note_id": "first", "version": 1}
    assert until(lambda: demo.applied("first")) == 1


def test_status_names_every_process(demo: Demo) -> None:
    said = demo("status")
    assert all(name in said for name in ("epmd", "rabbit", "mongo", "echo-1", "mirror-1", "gateway-1"))
    assert str(demo.cell.url) in said


def test_everything_listens_on_loopback_alone(demo: Demo) -> None:
    found = listeners.of(process.pid for process in sweep.marked(demo.folder))
    assert {listener.port for listener in found} >= set(demo.cell.ports.values())
    assert [listener for listener in found if not listener.loopback] == []


def test_a_second_up_changes_nothing(demo: Demo) -> None:
    before = {name: process.pid for name, process in demo.cell.processes().items()}
    assert str(demo.cell.url) in demo(*UP)
    assert {name: process.pid for name, process in demo.cell.processes().items()} == before


def test_doctor_finds_a_healthy_cell_healthy(demo: Demo) -> None:
    assert "bad" not in demo("doctor")


# -- it is looked after -----------------------------------------------------------------------------------


def test_a_killed_service_comes_back(demo: Demo) -> None:
    _killed_and_back(demo, "echo-1")
    until(lambda: demo.change("killed", "service").status_code == 201)


def test_a_killed_broker_comes_back_and_the_services_find_it(demo: Demo) -> None:
    _killed_and_back(demo, "rabbit")
    until(lambda: demo.change("killed", "broker").status_code == 201, seconds=20)
    until(lambda: demo.applied("killed") == 2, seconds=20)


def _killed_and_back(demo: Demo, name: str) -> None:
    before = demo.process(name)
    os.kill(before.pid, signal.SIGKILL)
    began = time.monotonic()
    after = until(lambda: now if (now := demo.process(name)).ready and now.pid != before.pid else None, 30)
    print(f"{name} was back after {time.monotonic() - began:.1f} s")
    assert after.restarts == before.restarts + 1


def test_a_service_that_is_stopped_is_told_of(demo: Demo) -> None:
    demo.cell.stop("mirror-1")
    assert "mirror-1" in demo("status", expect=1)
    said = demo("doctor", expect=1)
    assert "Not ready: mirror-1" in said
    demo.cell.start("mirror-1")
    demo("status")


# -- the operator's commands ------------------------------------------------------------------------------


def test_topology_may_be_applied_again(demo: Demo) -> None:
    assert demo("topology", "apply") == demo("topology", "apply")


def test_keys_are_made_once_and_rotated_without_a_restart(demo: Demo) -> None:
    assert "nothing, all are there" in demo("keys", "make")
    said = demo("keys", "rotate", "echo", "--start-after", "0")
    kid = re.search(r"key ([0-9a-f]{8}) ", said)
    assert kid
    listed = [line for line in demo("keys", "list").splitlines() if " echo " in line]
    assert len(listed) == 2
    assert [("in use" in line, "ending" in line) for line in listed if kid[1] in line] == [(True, False)]
    assert demo.change("rotated", "at once").status_code == 201


def test_settings_are_listed_with_the_gateways(demo: Demo) -> None:
    wide = {**os.environ, "COLUMNS": "200"}
    said = subprocess.run(
        [CONCORDAT, "settings"], capture_output=True, text=True, check=True, env=wide
    ).stdout
    assert all(key in said for key in ("RABBITMQ_URL", "CONCORDAT_WORKERS", "CONCORDAT_BODY_LIMIT"))


@pytest.fixture
def channel(demo: Demo) -> Iterator[Any]:
    password = demo.cell.broker_password("operator")
    with amqp.Connection(
        f"127.0.0.1:{demo.cell.ports['rabbit']}", "operator", password, virtual_host="concordat"
    ) as connection:
        yield connection.channel()


def test_a_dead_letter_is_listed_and_replayed(demo: Demo, channel: Any) -> None:
    demo.cell.stop("mirror-1")
    assert demo.change("buried", "once").status_code == 201
    _bury(channel)
    said = until(lambda: text if "dead letters:" in (text := demo("queues", "list")) else None, every=0.3)
    assert "no consumer: its service does not run" in said
    demo.cell.start("mirror-1")
    assert demo.applied("buried") == 0
    assert "1 replayed, 0 kept" in demo("queues", "replay", "mirror")
    assert until(lambda: demo.applied("buried")) == 1
    assert "0 replayed" in demo("queues", "replay", "mirror")


def _bury(channel: Any) -> None:
    """As a consumer does with an event that it gives up."""
    message = until(lambda: channel.basic_get("evt-echo--mirror"))
    headers = {"x-queue": "evt-echo--mirror", "x-attempts": 8}
    properties = {**message.properties, "application_headers": headers}
    channel.basic_publish_confirm(amqp.Message(message.body, **properties), "mirror.retries", "dead-mirror")
    channel.basic_ack(message.delivery_tag)


def test_a_queue_that_nobody_declares_is_an_orphan(demo: Demo, channel: Any) -> None:
    channel.queue_declare("evt-gone--mirror", durable=True, auto_delete=False)
    try:
        said = demo("queues", "list")
        assert re.search(r"evt-gone--mirror .* orphaned", said)
    finally:
        channel.queue_delete("evt-gone--mirror")


# -- it ends, and starts again ----------------------------------------------------------------------------


def test_two_cells_run_side_by_side(demo: Demo) -> None:
    before = {name: process.pid for name, process in demo.cell.processes().items()}
    with running() as other:
        assert not set(other.ports.values()) & set(demo.cell.ports.values())
        assert all(process.ready for process in other.processes(ask_ready=True).values())
        other.down(kill=True)
        assert sweep.marked(other.places.root) == []
    assert {name: process.pid for name, process in demo.cell.processes().items()} == before


def test_down_leaves_nothing_and_the_second_start_is_short_and_keeps_the_data(demo: Demo) -> None:
    assert demo.change("kept", "over night").status_code == 201
    url = demo.cell.url
    demo("down")
    assert sweep.marked(demo.folder) == []
    assert not (demo.folder / "supervisor.sock").exists()
    assert "Nothing runs" in demo("status", expect=1)
    began = time.monotonic()
    demo(*UP)
    seconds = time.monotonic() - began
    print(f"second start: {seconds:.1f} s")
    assert seconds < 20  # on an idle machine below 10
    assert demo.cell.url == url
    assert httpx.get(f"{url}api/v1/echo/notes/kept").json()["version"] == 1


def test_down_ends_what_a_killed_supervisor_left(demo: Demo) -> None:
    """The last of this cell."""
    left = {process.pid for process in demo.cell.processes().values()}
    os.kill(int((demo.folder / "supervisor.pid").read_text()), signal.SIGKILL)
    until(lambda: not demo.cell.is_up())
    assert left <= {found.pid for found in sweep.marked(demo.folder)}
    assert "run on without it" in demo("status", expect=1)
    assert "left without a supervisor" in demo("doctor", expect=1)
    demo("down")
    assert sweep.marked(demo.folder) == []
    demo("down")


# -- what is wrong is said in plain words -----------------------------------------------------------------


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = concordat(tmp_path, "up", "--port", f"gateway={port}", expect=1)
    assert f"Port {port} for gateway-1 is in use." in said
    assert sweep.marked(tmp_path) == []


@pytest.mark.parametrize("key", ["MONGO_URL", "RABBITMQ_URL"])
def test_a_given_part_that_does_not_answer_is_named_without_its_password(tmp_path: Path, key: str) -> None:
    said = concordat(tmp_path, "up", expect=1, **{key: "scheme://user:hidden@127.0.0.1:1/"})
    assert f"Nothing answers at 127.0.0.1:1, which {key} names." in said
    assert "hidden" not in said
    assert sweep.marked(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["up", "-c", "ecko=1"], f"There is no service ecko. Known: {', '.join(sorted(SERVICES))}."),
        (["up", "-c", "echo"], "'echo' is not NAME=NUMBER, such as echo=3."),
        (["up", "--port", "door=80"], "There is no port named door-1."),
        (["status"], "Start it with `concordat up`"),
        (["logs", "nobody"], "There is no log of nobody"),
        (["queues", "list"], "Start it with `concordat up`"),
        (["queues", "replay", "echo"], "echo receives no events"),
        (["keys", "rotate", "echo"], "echo has no key. Make one with `concordat keys make`."),
    ],
)
def test_a_mistake_is_told_with_what_to_do(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    assert sentence in concordat(tmp_path, *arguments, expect=1)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = concordat(tmp_path / "file" / "cell", "up", expect=1)
    assert "cannot be written" in said
    assert "Choose another folder with --data." in said
