"""What stock nameko and its libraries do to their users, N0 to N21, and that it is not so here: calls.

On the real broker and database. The facts about events are in test_platform_facts_events.py. Where more than
one test guards a fact, the others are beside the mechanism: test_calls.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from kombu.utils.json import dumps

from deploy.launcher.cell import Cell
from services.chassis.mongo import connect
from services.chassis.topology import CALLS, VHOST
from services.contracts.directory import Shape
from services.contracts.echo import AskMirror, Say
from tests.cell import OPERATOR, Parts
from tests.eventlet_process import ROOT, run
from tests.freezing import still
from tests.integration.calling import MIRROR, ONCE, TRIED, Calling, Clock, Ear, Instance, ending, instances
from tests.integration.tried_service import Settle
from tests.waiting import until

WORKERS = 4
HEARTBEAT = 1.0
SHAPES = {
    "tried": Shape(serves=True, emits=True),
    "once": Shape(serves=True, emits=True),
    "absent": Shape(serves=True, emits=False),
}


@pytest.fixture(scope="module", autouse=True)
def declared(parts: Parts) -> None:
    parts.declare(SHAPES)


@pytest.fixture(scope="module")
def tried(declared: None, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A service with few workers and a short heartbeat."""
    folder = tmp_path_factory.mktemp("logs")
    settings = {"CONCORDAT_WORKERS": str(WORKERS), "CONCORDAT_HEARTBEAT": str(HEARTBEAT)}
    with instances(parts, folder, TRIED, **settings) as (started,):
        yield started


@pytest.fixture(scope="module")
def trieds(declared: None, parts: Parts) -> Iterator[Any]:
    """The database of the service under trial."""
    with connect(parts.mongo_url("tried"), app="test") as client:
        yield client["tried"]


@dataclass(frozen=True, slots=True)
class StockCall:
    """The properties of a request that nameko's own client made, and the reply queues that it left behind."""

    properties: dict[str, Any]
    left: set[str]


@pytest.fixture(scope="module")
def stock_call(parts: Parts) -> Iterator[StockCall]:
    ear, before = Ear(parts), reply_queues(parts)
    heard = ear.listen(CALLS)
    run("tests.integration.stock_children:ask_and_leave", url=parts.rabbitmq_url(OPERATOR))
    (asked,) = (m for m in ear.taken(heard) if m.delivery_info["routing_key"] == "stocked.anything")
    ear.close()
    left = {name for name in reply_queues(parts) - before if "standalone_rpc_proxy" in name}
    yield StockCall(asked.properties, left)
    for name in left:
        parts.operator_api.call("DELETE", f"queues/{VHOST}/{name}")


def usable(calling: Calling) -> bool:
    """All workers of the service under trial are free to answer."""
    calls = [calling.begin("tried.record", tag="usable") for _ in range(WORKERS)]
    return {ending(call) for call in calls} == {"ok"}


def test_n0_the_runner_needs_no_pkg_resources(parts: Parts, calling: Calling, tmp_path: Path) -> None:
    (tmp_path / "pkg_resources.py").write_text("raise ImportError('pkg_resources')\n")
    with instances(parts, tmp_path, MIRROR, PYTHONPATH=str(tmp_path)):
        assert calling.code("mirror.get_mirror", AskMirror(note_id="any")) == "ok"
    stock = subprocess.run(
        [sys.executable, "-c", "import nameko.cli.main"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "ImportError: pkg_resources" in stock.stderr


def test_n1_a_command_whose_process_dies_takes_effect_once(
    parts: Parts, calling: Calling, tag: str, tmp_path: Path
) -> None:
    settle = Settle(tag=tag, takes=60)
    with (
        connect(parts.mongo_url("once"), app="test") as client,
        instances(parts, tmp_path, ONCE, ONCE) as both,
    ):
        database: Any = client["once"]
        call = calling.begin("once.settle", settle, seconds=30, key=tag)
        first = until(lambda: database["attempts"].find_one({"_id": tag}))
        next(process for process in both if process.pid == first["pid"]).kill()
        assert ending(call) == "ok"
        assert calling.ask("once.settle", settle, key=tag) == {"tag": tag}
        last = database["attempts"].find_one({"_id": tag})
        assert (last["count"] >= 2, last["pid"] != first["pid"]) == (True, True)
        assert database["effects"].count_documents({"tag": tag}) == 1


@pytest.mark.usefixtures("tried")
def test_n2_calls_to_a_service_that_is_down_end_and_leave_their_caller_usable(calling: Calling) -> None:
    with Clock() as clock:
        calls = [
            calling.begin("tried.ask", peer="absent", asks="anything", seconds=1)
            for _ in range(WORKERS * 2 + 2)
        ]
        assert {ending(call) for call in calls} <= {"deadline_expired", "unavailable"}
    assert clock.seconds < 2.5
    assert usable(calling)


@pytest.mark.usefixtures("tried")
def test_n3_a_timeout_that_is_no_exception_is_answered_and_costs_no_worker(calling: Calling) -> None:
    calls = [calling.begin("tried.time_out") for _ in range(WORKERS * 3)]
    assert [ending(call) for call in calls] == ["internal"] * len(calls)
    assert usable(calling)


def test_n4_calls_whose_caller_gave_up_do_not_run(
    tried: Instance, calling: Calling, trieds: Any, tag: str, stock_call: StockCall
) -> None:
    assert "expiration" not in stock_call.properties
    tried.pause()
    try:
        calls = [calling.begin("tried.record", tag=tag, seconds=0.4) for _ in range(10)]
        assert {ending(call) for call in calls} == {"deadline_expired"}
    finally:
        tried.resume()
    assert usable(calling)
    assert trieds["runs"].count_documents({"tag": tag}) == 0


def test_n5_a_request_without_a_reply_address_harms_nobody(
    tried: Instance, calling: Calling, ear: Ear
) -> None:
    lost = tried.count("link_lost")
    ear.taken("dead-tried")
    shapes: list[dict[str, Any]] = [
        {},
        {"correlation_id": "1"},
        {"reply_to": "x"},
        {"content_type": "application/json"},
    ]
    for properties in shapes:
        for _ in range(3):
            ear.publish(b'{"args": [], "kwargs": {}}', exchange=CALLS, key="tried.record", **properties)
    assert len(ear.refused("dead-tried", b'{"args": [], "kwargs": {}}', count=12)) == 12
    assert usable(calling)
    assert (tried.alive, tried.count("link_lost")) == (True, lost)


def test_n6_a_broker_lost_while_a_command_runs_ends_no_process_and_doubles_no_effect(
    tried: Instance, calling: Calling, parts: Parts, trieds: Any, tag: str
) -> None:
    lost = tried.count("link_lost")
    connections = until(lambda: found if len(found := connections_of(parts, "tried")) == 2 else None)
    call = calling.begin("tried.settle", Settle(tag=tag, takes=1), seconds=20, key=tag)
    until(lambda: trieds["attempts"].find_one({"_id": tag}))
    for name in connections:
        parts.operator_api.call("DELETE", f"connections/{quote(name)}")
    assert ending(call) == "ok"
    assert tried.count("link_lost") == lost + 2
    assert tried.alive
    assert trieds["effects"].count_documents({"tag": tag}) == 1


def test_n7_while_the_broker_is_frozen_callers_are_answered_in_time(
    tried: Instance, calling: Calling, cell: Cell
) -> None:
    broker = cell.processes()["rabbit"].pid
    with still([broker]):
        with Clock() as clock:
            calls = [calling.begin("tried.record", tag="frozen", seconds=1) for _ in range(20)]
            assert {ending(call) for call in calls} <= {"deadline_expired", "link_down"}
        assert clock.seconds < 2.5
    until(lambda: calling.code("tried.record", tag="thawed", seconds=2) == "ok", seconds=20)
    assert tried.alive


def test_n10_long_work_runs_once_and_beside_the_hub_costs_no_connection(
    tried: Instance, calling: Calling, trieds: Any, tag: str
) -> None:
    """Each takes longer than the broker waits for a sign of life."""
    lost = tried.count("link_lost")
    assert calling.ask("tried.crunch", tag=tag, takes=HEARTBEAT * 2.5, seconds=12) == tag
    assert tried.count("link_lost") == lost
    assert trieds["runs"].count_documents({"tag": tag}) == 1
    blocking = Settle(tag=tag, takes=HEARTBEAT * 3.5, blocking=True)
    assert calling.code("tried.settle", blocking, seconds=20, key=tag) == "ok"
    assert trieds["effects"].count_documents({"tag": tag}) == 1


def test_n12_a_request_that_cannot_be_decoded_is_put_aside_and_never_logged(
    tried: Instance, ear: Ear, tag: str
) -> None:
    mark = f"SECRET-{tag}".encode()
    address: dict[str, Any] = {"reply_to": "x", "correlation_id": "1"}
    for kind in ("application/json", "application/vnd.concordat.sealed", "application/x-python-serialize"):
        ear.publish(b"\xff{" + mark, exchange=CALLS, key="tried.record", content_type=kind, **address)
    refused = ear.refused("dead-tried", b"\xff{" + mark, count=3)
    assert [message.body for message in refused] == [""] * 3
    assert mark.decode() not in tried.log.read_text()
    assert "body_sha256" in tried.log.read_text()


@pytest.mark.usefixtures("tried")
def test_n14_calls_and_replies_are_transient(calling: Calling, ear: Ear, stock_call: StockCall) -> None:
    assert stock_call.properties["delivery_mode"] == 2
    heard = ear.listen(CALLS)
    assert usable(calling)
    passed = ear.taken(heard)
    assert len(passed) >= 2 * WORKERS
    assert {message.properties.get("delivery_mode") for message in passed} == {1}
    assert all(int(message.properties["expiration"]) <= 12_000 for message in passed)


@pytest.mark.usefixtures("tried")
def test_n15_who_says_in_a_header_who_they_are_is_not_believed(
    calling: Calling, ear: Ear, trieds: Any, tag: str
) -> None:
    replies = ear.listen(CALLS)
    for kind in ("application/json", "application/vnd.concordat.sealed"):
        ear.publish(
            b'{"args": [], "kwargs": {"tag": "' + tag.encode() + b'"}}',
            exchange=CALLS,
            key="tried.record",
            content_type=kind,
            headers={"nameko.user_id": "admin", "nameko.call_id_stack": []},
            reply_to="rpc.reply-gateway-me",
            correlation_id=tag,
        )
    assert calling.code("tried.who", Say(text=tag)) == "unauthenticated"
    assert usable(calling)
    assert trieds["runs"].count_documents({"tag": tag}) == 0
    answered = [m for m in ear.taken(replies) if m.delivery_info["routing_key"] == "rpc.reply-gateway-me"]
    assert answered == []


@pytest.mark.usefixtures("tried")
def test_n17_a_client_has_one_reply_queue_and_leaves_none(
    parts: Parts, calling: Calling, stock_call: StockCall
) -> None:
    assert len(stock_call.left) == 1
    before = reply_queues(parts)
    with Calling(parts) as another:
        assert usable(another)
        assert usable(another)
        assert len(reply_queues(parts) - before) == 1
    until(lambda: reply_queues(parts) <= before)


@pytest.mark.usefixtures("tried")
def test_n18_a_moment_is_a_plain_string_on_the_wire(calling: Calling) -> None:
    answer = calling.ask("tried.moment")
    assert isinstance(answer["at"], str)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(answer["at"])).total_seconds()) < 60
    stock: Any = dumps
    assert "__type__" in stock({"at": datetime.now(UTC)})


def connections_of(parts: Parts, user: str) -> list[str]:
    """The broker tells of new connections some seconds late."""
    listed = parts.operator_api.call("GET", "connections")
    return [connection["name"] for connection in listed if connection.get("user") == user]


def reply_queues(parts: Parts) -> set[str]:
    return {queue["name"] for queue in parts.operator_api.queues() if queue["name"].startswith("rpc.reply-")}
