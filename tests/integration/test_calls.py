"""Calls, with parts of the way missing, slow, frozen or hostile. On the real broker, with real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.launcher.cell import Cell
from deploy.operator_api import ApiTrouble
from services.chassis.deadline import HOP_MARGIN
from services.chassis.mongo import connect
from services.chassis.pending import PER_TARGET
from services.contracts.directory import Shape
from services.contracts.echo import AskMirror
from tests.cell import Parts
from tests.integration.calling import (
    ECHO,
    MIRROR,
    ONCE,
    TRIED,
    Calling,
    Clock,
    Ear,
    Instance,
    Seal,
    ending,
    green_client,
    instances,
)
from tests.integration.tried_service import Settle
from tests.rabbitmqctl import rabbitmqctl
from tests.waiting import until

WORKERS = 4
AT_ONCE = 1.5
"""Seconds within which something happens that waits for nothing: the machine may be busy."""
SHAPES = {
    "tried": Shape(serves=True, emits=True),
    "once": Shape(serves=True, emits=True),
    "absent": Shape(serves=True, emits=False),
    "silent": Shape(serves=False, emits=False),
}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Fleet:
    """What runs for all tests here: one of each, and a second `once`."""

    tried: Instance
    once: list[Instance]
    echo: Instance
    mirror: Instance


@pytest.fixture(scope="module")
def fleet(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    parts.declare(SHAPES)
    settings = {"CONCORDAT_WORKERS": str(WORKERS), "CONCORDAT_HEARTBEAT": "1"}
    paths = (TRIED, ONCE, ONCE, ECHO, MIRROR)
    with instances(parts, tmp_path_factory.mktemp("logs"), *paths, **settings) as started:
        yield Fleet(started[0], started[1:3], *started[3:])


@pytest.fixture(scope="module")
def databases(fleet: Fleet, parts: Parts) -> Iterator[dict[str, Any]]:
    """Of `tried`, `once` and `echo`, by name."""
    urls = {name: parts.mongo_url(name) for name in ("tried", "once", "echo")}
    clients = {name: connect(url, app="test") for name, url in urls.items()}
    yield {name: client[name] for name, client in clients.items()}
    for client in clients.values():
        client.close()


@contextmanager
def frozen(instance: Instance) -> Iterator[None]:
    instance.pause()
    try:
        yield
    finally:
        instance.resume()


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("ask", ["asyncio", "greenlets"])
@pytest.mark.parametrize(
    ("service", "code"),
    [("silent", "unknown_service"), ("nobody", "unknown_service"), ("once", "unknown_method")],
)
def test_an_unknown_service_or_method_is_told_at_once(
    calling: Calling, ask: str, service: str, code: str
) -> None:
    """`silent` has keys and no queue, `nobody` has neither."""
    with Clock() as clock:
        if ask == "asyncio":
            assert calling.code(f"{service}.anything") == code
        else:
            assert calling.code("tried.ask", peer=service, asks="anything") == code
    assert clock.seconds < AT_ONCE


def test_a_deadline_shrinks_at_each_hop_and_the_answer_comes_before_it(
    fleet: Fleet, calling: Calling, ear: Ear, tag: str
) -> None:
    heard, asked, onward = ear.listen(), set[int](), set[int]()

    def listen() -> bool:
        """The copies are gone when their time is up."""
        for message in ear.taken(heard):
            of = asked if message.delivery_info["routing_key"] == "echo.ask_mirror" else onward
            of.add(Seal.of(message.body).millis)
        return bool(asked and onward)

    with frozen(fleet.mirror), Clock() as clock:
        call = calling.begin("echo.ask_mirror", AskMirror(note_id=tag), seconds=2)
        until(listen)
        assert ending(call) == "deadline_expired"
    assert 1.5 < clock.seconds < 2 + AT_ONCE
    assert min(asked) - max(onward) >= HOP_MARGIN * 1000 - 1
    assert calling.code("echo.ask_mirror", AskMirror(note_id=tag)) == "ok"


def test_a_call_whose_time_is_up_is_never_run(
    fleet: Fleet, calling: Calling, databases: dict[str, Any], tag: str
) -> None:
    """Some wait in the queue, some with the frozen process."""
    with frozen(fleet.tried):
        calls = [calling.begin("tried.record", tag=tag, seconds=0.4) for _ in range(WORKERS * 2)]
        calls += [calling.begin("tried.settle", Settle(tag=tag), key=tag, seconds=0.4)]
        assert {ending(call) for call in calls} == {"deadline_expired"}
    assert {calling.code("tried.record", tag="after") for _ in range(WORKERS)} == {"ok"}
    assert fleet.tried.metric("calls_expired_total{") > 0
    assert databases["tried"]["runs"].count_documents({"tag": tag}) == 0
    assert databases["tried"]["attempts"].count_documents({"_id": tag}) == 0


def test_while_one_of_two_instances_is_frozen_the_other_answers_what_it_had(
    fleet: Fleet, calling: Calling, databases: dict[str, Any], tag: str
) -> None:
    silent, live = fleet.once
    with frozen(silent), Clock() as clock:
        calls = [calling.begin("once.record", tag=tag, seconds=6) for _ in range(WORKERS * 3)]
        calls += [calling.begin("once.settle", Settle(tag=tag + "c"), key=tag, seconds=6)]
        assert {ending(call) for call in calls} == {"ok"}
        assert databases["once"]["runs"].distinct("pid", {"tag": tag}) == [live.pid]
    assert clock.seconds < 6
    assert calling.code("once.settle", Settle(tag=tag + "c"), key=tag) == "ok"
    assert databases["once"]["effects"].count_documents({"tag": tag + "c"}) == 1


def test_a_query_that_the_broker_delivers_again_runs_once_and_is_answered(
    fleet: Fleet, ear: Ear, calling: Calling, databases: dict[str, Any], tag: str
) -> None:
    """As after a consumer that died: it may have run there. Its caller asks anew. As many as run are at hand
    in the process, so that what comes after them stays with the broker."""
    busy = [calling.begin("tried.record", tag=f"{tag}-busy", takes=0.8) for _ in range(WORKERS * 2)]
    until(lambda: databases["tried"]["runs"].count_documents({"tag": f"{tag}-busy"}) == WORKERS)
    call = calling.begin("tried.record", tag=tag, seconds=6)
    until(lambda: ear.put_back("rpc-tried"))
    assert {ending(one) for one in (*busy, call)} == {"ok"}
    assert fleet.tried.metric('calls_total{code="not_taken",method="tried.record",side="served"}') == 1
    assert databases["tried"]["runs"].count_documents({"tag": tag}) == 1


@pytest.mark.usefixtures("fleet")
def test_when_too_many_wait_the_next_is_told_at_once_and_other_services_are_not_affected(
    calling: Calling,
) -> None:
    waiting = [calling.begin("absent.anything", seconds=3) for _ in range(PER_TARGET)]
    with Clock() as clock:
        assert calling.code("absent.anything") == "busy"
        assert calling.code("tried.record", tag="beside") == "ok"
    assert clock.seconds < AT_ONCE
    assert {ending(call) for call in waiting} == {"deadline_expired"}


def began(databases: dict[str, Any]) -> Callable[[], bool]:
    """Whether the greenlet client has got calls through since now."""
    runs = databases["tried"]["runs"]
    before = runs.count_documents({"tag": {"$regex": "^green-"}})
    return lambda: runs.count_documents({"tag": {"$regex": "^green-"}}) > before + 5


def test_while_the_broker_takes_nothing_callers_are_told_at_once(
    fleet: Fleet, parts: Parts, cell: Cell, calling: Calling, databases: dict[str, Any], tmp_path: Path
) -> None:
    """A disk alarm: the broker reads from no connection on which something was published."""
    with green_client(parts, tmp_path, seconds=2) as end:
        until(began(databases), seconds=20)
        rabbitmqctl(cell, "set_disk_free_limit", "100000GB")
        try:
            until(lambda: calling.code("tried.record", tag="alarm", seconds=1) == "unavailable", every=0.1)
            with Clock() as clock:
                assert {calling.code("tried.record", tag="alarm") for _ in range(20)} == {"unavailable"}
            assert clock.seconds < AT_ONCE
            assert not calling.calls.ready
            # Its calls that were on their way when the alarm came take all their time first.
            until((tmp_path / "stop.refused").exists, seconds=20)
        finally:
            rabbitmqctl(cell, "set_disk_free_limit", "50MB")
        until(lambda: calling.code("tried.record", tag="over", seconds=2) == "ok", seconds=20)
        until(began(databases), seconds=20)
        told = end()
    refused = [seconds for code, seconds in told if code == "unavailable"]
    assert len(refused) > 10
    assert sorted(refused)[len(refused) // 2] < 0.1
    assert max(seconds for _, seconds in told) < 2 + AT_ONCE
    assert told[-1][0] == "ok"
    assert fleet.tried.alive


def test_after_the_broker_was_killed_both_clients_go_on_and_no_call_waited_longer_than_it_may(
    fleet: Fleet, parts: Parts, cell: Cell, calling: Calling, databases: dict[str, Any], tmp_path: Path
) -> None:
    with green_client(parts, tmp_path, seconds=2) as end:
        until(began(databases), seconds=20)
        outstanding = [calling.begin("tried.record", tag="killed", takes=1, seconds=3) for _ in range(20)]
        broker = cell.processes()["rabbit"].pid
        with Clock() as clock:
            os.kill(broker, signal.SIGKILL)
            codes = {ending(call) for call in outstanding}
        assert codes <= {"ok", "deadline_expired", "link_down"}
        assert clock.seconds < 3 + AT_ONCE
        until(lambda: broker_answers(parts), seconds=60, every=0.2)
        until(lambda: calling.code("tried.record", tag="again", seconds=2) == "ok", seconds=30)
        until(began(databases), seconds=20)
        told = end()
    assert max(seconds for _, seconds in told) < 2 + AT_ONCE
    assert told[-1][0] == "ok"
    everyone = [fleet.tried, *fleet.once, fleet.echo, fleet.mirror]
    assert all(instance.alive for instance in everyone)
    for instance in everyone:
        instance.wait_ready()


def broker_answers(parts: Parts) -> bool:
    try:
        return bool(parts.operator_api.running_nodes())
    except ApiTrouble:
        return False


def test_sigterm_lets_running_calls_end_and_hands_back_the_rest(
    fleet: Fleet, parts: Parts, calling: Calling, databases: dict[str, Any], tag: str, tmp_path: Path
) -> None:
    database = databases["once"]
    with instances(parts, tmp_path, ONCE, CONCORDAT_WORKERS=str(WORKERS)) as (ended,):
        calls = [calling.begin("once.record", tag=tag, takes=0.7) for _ in range(WORKERS * 5)]
        calls += [calling.begin("once.settle", Settle(tag=tag, takes=0.7), key=tag)]
        until(lambda: database["runs"].find_one({"tag": tag, "pid": ended.pid}))
        ended.terminate()
        assert {ending(call) for call in calls} == {"ok"}
        assert ended.exit_code() == 0
    assert database["runs"].count_documents({"tag": tag}) == WORKERS * 5
    assert database["effects"].count_documents({"tag": tag}) == 1
