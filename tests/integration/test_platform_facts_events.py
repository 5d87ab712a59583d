"""What stock nameko and its libraries do to their users, N0 to N21, and that it is not so here: events.

On the real broker and database. Where more than one test guards a fact, the others are beside the mechanism:
test_events.py, test_outbox.py, test_confirms.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.chassis.topology import DELIVERY_LIMIT
from services.contracts.directory import Shape
from services.contracts.echo import AskMirror, ChangeNote, MirrorState, NoteVersion
from services.contracts.envelope import Event
from services.contracts.messages import EventData
from services.mirror.store import MirrorStore
from tests.cell import Parts
from tests.eventlet_process import run
from tests.integration.calling import Calling, Clock, Ear, instances
from tests.integration.fussy_mirror import FAILS_TWICE
from tests.integration.running_services import ServiceProcess, services
from tests.waiting import until

MIRRORS_QUEUE = "evt-echo--mirror"
CONFIRMS = "tests.integration.confirm_children"
SHAPES = {
    "source": Shape(serves=False, emits=True),
    "sink": Shape(serves=False, emits=False, subscribes=("source",)),
}


@pytest.fixture(scope="module")
def pair(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServiceProcess]]:
    """echo, and two mirrors that fail on demand."""
    with services(parts, tmp_path_factory.mktemp("logs"), "echo", "fussy", "fussy") as started:
        yield started[1:]


def test_n8_an_event_whose_handler_raises_is_neither_lost_nor_tried_without_pause(
    pair: list[ServiceProcess], ear: Ear, store: MirrorStore, database: Any, tag: str
) -> None:
    note = FAILS_TWICE + tag
    event = ear.emit(note, 1)
    until(lambda: store.applied(note), seconds=20)
    assert store.applied(note) == [1]
    assert database["tries"].find_one({"_id": event.id})["count"] == 3


@pytest.mark.usefixtures("pair")
def test_n9_events_take_effect_in_order(ear: Ear, store: MirrorStore) -> None:
    notes = [uuid.uuid4().hex for _ in range(4)]
    for number in (2, 1, 4, 3, 6, 5, 7):
        for note in notes:
            ear.emit(note, number)
    until(lambda: all(len(store.applied(note)) >= 7 for note in notes), seconds=20)
    assert all(store.applied(note) == list(range(1, 8)) for note in notes)


@pytest.mark.usefixtures("pair")
def test_n11_an_event_published_before_a_queue_is_bound_is_kept(
    parts: Parts, calling: Calling, ear: Ear, store: MirrorStore, tag: str
) -> None:
    unsent = {"unsent": True, "events.aggregate": f"notes/{tag}"}
    with connect(parts.mongo_url("echo"), app="test") as client:
        ear.bind(False)
        try:
            assert change(calling, tag).version == 1
            assert client["echo"]["commands"].count_documents(unsent) == 1
        finally:
            ear.bind(True)
        until(lambda: store.applied(tag) == [1])
        until(lambda: client["echo"]["commands"].count_documents(unsent) == 0)


def test_n12_an_event_that_cannot_be_decoded_is_put_aside_and_never_logged(
    pair: list[ServiceProcess], ear: Ear, tag: str
) -> None:
    ear.publish(b"\xff{" + tag.encode())
    until(lambda: len(ear.dead(tag)) == 1)
    logs = "".join(process.log.read_text() for process in pair)
    assert tag not in logs
    assert "body_sha256" in logs


def test_n13_two_instances_share_one_durable_queue_under_a_fixed_name(
    pair: list[ServiceProcess], ear: Ear, store: MirrorStore
) -> None:
    until(lambda: ear.consumers(MIRRORS_QUEUE) == len(pair))
    notes = [uuid.uuid4().hex for _ in range(10)]
    for note in notes:
        ear.emit(note, 1)
    until(lambda: all(store.applied(note) == [1] for note in notes))
    assert run("tests.integration.stock_children:broadcast") == "EventHandlerConfigurationError"


@pytest.mark.usefixtures("pair")
def test_n14_events_are_persistent(calling: Calling, ear: Ear, tag: str) -> None:
    heard = ear.listen("echo.events")
    change(calling, tag)
    (event,) = ear.heard(heard, tag.encode())
    assert event.properties["delivery_mode"] == 2


def test_n16_a_renamed_handler_takes_from_the_same_queue(
    pair: list[ServiceProcess], parts: Parts, ear: Ear, store: MirrorStore, tmp_path: Path
) -> None:
    before = durable(parts)
    until(lambda: ear.consumers(MIRRORS_QUEUE) == len(pair))
    renamed = "tests.integration.tried_service:RenamedMirror"
    notes = [uuid.uuid4().hex for _ in range(30)]
    with instances(parts, tmp_path, renamed) as (process,):
        until(lambda: ear.consumers(MIRRORS_QUEUE) == len(pair) + 1)
        for note in notes:
            ear.emit(note, 1)
        until(lambda: all(store.applied(note) == [1] for note in notes))
        assert process.metric("events_total{") > 0
        assert durable(parts) == before


@pytest.mark.usefixtures("pair")
def test_n19_publishing_while_messages_stream_in_mixes_nothing_up(calling: Calling) -> None:
    """echo calls mirror for each of them while the others arrive."""
    notes = [uuid.uuid4().hex for _ in range(150)]
    calls = [calling.begin("echo.ask_mirror", AskMirror(note_id=note), reply=MirrorState) for note in notes]
    assert [call.result(20).note_id for call in calls] == notes


def test_n20_confirms_are_awaited_together(parts: Parts, ear: Ear, tag: str) -> None:
    ear.declare(tag)
    try:
        seconds = run(f"{CONFIRMS}:pipelined", url=parts.rabbitmq_url("operator"), good=tag, count=100)
    finally:
        ear.delete(tag)
    assert seconds["pipelined"] < seconds["serial"] / 1.5


def test_n21_what_cannot_be_routed_fails_at_once_and_what_cannot_be_handled_is_kept(
    parts: Parts, calling: Calling, ear: Ear, tag: str
) -> None:
    parts.declare(SHAPES)
    with Clock() as clock:
        assert calling.code("nobody.anything") == "unknown_service"
    assert clock.seconds < 2
    event = Event.of("source", "thing.happened", f"things/{tag}", 1, EventData(), now=datetime.now(UTC))
    ear.publish(event.to_json(), exchange="source.events", key="thing.happened")
    until(lambda: ear.put_back("evt-source--sink"))
    for _ in range(DELIVERY_LIMIT + 5):
        ear.put_back("evt-source--sink")
    (letter,) = until(lambda: ear.taken("dead-sink"))
    assert tag.encode() in letter.body


def durable(parts: Parts) -> set[str]:
    return {queue["name"] for queue in parts.operator_api.queues() if queue["durable"]}


def change(calling: Calling, note: str) -> NoteVersion:
    version: NoteVersion = calling.ask(
        "echo.change_note", ChangeNote(note_id=note, text="text"), key=note, reply=NoteVersion
    )
    return version
