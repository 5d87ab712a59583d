"""Events take effect once and in order, whatever happens on the way. On the real broker and database."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.launcher.cell import Cell
from services.mirror.store import MirrorStore
from tests.cell import Parts
from tests.freezing import still
from tests.integration.fussy_mirror import FAILS_TWICE, FAILS_UNTIL_HEALED
from tests.integration.running_services import Operator, ServiceProcess, services
from tests.waiting import until

LAST_ATTEMPT = {"x-attempts": 7}


@pytest.fixture(scope="module")
def mirrors(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServiceProcess]]:
    """Two instances of one consumer."""
    with services(parts, tmp_path_factory.mktemp("logs"), "fussy", "fussy") as started:
        yield started


def named(prefix: str = "") -> str:
    return prefix + uuid.uuid4().hex[:12]


def shuffled_nearby(numbers: list[int], chance: random.Random) -> list[int]:
    """Every fifth twice, and each at most some places from where it belongs."""
    twice = [number for n in numbers for number in ([n, n] if chance.random() < 0.2 else [n])]
    return [
        number for _, number in sorted((place + chance.uniform(0, 4), n) for place, n in enumerate(twice))
    ]


@pytest.mark.usefixtures("mirrors")
def test_n9_shuffled_and_doubled_events_are_applied_once_and_in_order(
    operator: Operator, store: MirrorStore
) -> None:
    chance = random.Random(9)
    notes = {named(): shuffled_nearby(list(range(1, 13)), chance) for _ in range(12)}
    for place in range(max(map(len, notes.values()))):
        for note, numbers in notes.items():
            if place < len(numbers):
                operator.emit(note, numbers[place])
    wanted = list(range(1, 13))
    until(lambda: all(len(store.applied(note)) >= 12 for note in notes), seconds=30)
    assert all(store.applied(note) == wanted for note in notes)


@pytest.mark.usefixtures("mirrors")
def test_n8_a_handler_that_fails_twice_is_tried_again_and_takes_effect_once(
    operator: Operator, store: MirrorStore
) -> None:
    note = named(FAILS_TWICE)
    for number in (1, 2, 3):
        operator.emit(note, number)
    until(lambda: len(store.applied(note)) >= 3, seconds=30)
    assert store.applied(note) == [1, 2, 3]
    assert store.load(note).applied == 3


@pytest.mark.usefixtures("mirrors")
def test_a_handler_that_always_fails_ends_in_a_dead_letter_and_its_successors_go_on(
    operator: Operator, store: MirrorStore, database: Any
) -> None:
    note, other = named(FAILS_UNTIL_HEALED), named()
    operator.emit(note, 1, headers=LAST_ATTEMPT)
    operator.emit(other, 1)
    (letter,) = until(lambda: operator.dead(note))
    assert letter.headers["x-reason"] == "attempts"
    assert letter.headers["x-queue"] == "evt-echo--mirror"
    assert letter.headers["x-attempts"] == 8
    until(lambda: store.applied(other) == [1])
    assert store.applied(note) == []

    database["healed"].insert_one({"_id": note})
    operator.emit(note, 2)
    until(lambda: store.applied(note) == [2])
    gap = database["gaps"].find_one({"aggregate": f"notes/{note}"})
    assert (gap["first"], gap["last"], gap["reason"]) == (1, 1, "attempts")

    for _ in range(3):
        operator.replay(letter)
    until(lambda: store.applied(note) == [2, 1])
    operator.emit(note, 3)
    until(lambda: store.applied(note) == [2, 1, 3])


@pytest.mark.usefixtures("mirrors")
def test_data_that_the_handler_cannot_read_is_dead_at_once(operator: Operator, store: MirrorStore) -> None:
    note = named()
    event = operator.emit(note, 1)
    until(lambda: store.applied(note) == [1])
    broken = event.model_copy(update={"sequence": "2", "data": {"other": note}})
    operator.publish(broken.to_json())
    (letter,) = until(lambda: operator.dead(note))
    assert letter.headers["x-reason"] == "invalid_data"
    operator.emit(note, 3)
    until(lambda: store.applied(note) == [1, 3])


@pytest.mark.usefixtures("mirrors")
def test_another_event_under_a_number_already_applied_is_put_aside(
    operator: Operator, store: MirrorStore
) -> None:
    note = named()
    operator.emit(note, 1)
    until(lambda: store.applied(note) == [1])
    operator.emit(note, 1)
    (letter,) = until(lambda: operator.dead(note))
    assert letter.headers["x-reason"] == "conflict"
    assert store.applied(note) == [1]


def test_n12_poison_is_put_aside_at_once_and_only_its_hash_is_logged(
    mirrors: list[ServiceProcess], operator: Operator, store: MirrorStore
) -> None:
    mark, note = named("SECRET-"), named()
    good = operator.emit(note, 1).to_json()
    poison: list[tuple[bytes, dict[str, Any]]] = [
        (mark.encode(), {}),
        (b"\xff\xfe" + mark.encode(), {}),
        (b'{"mark": "' + mark.encode() + b'"}', {}),
        (good.replace(note.encode(), mark.encode())[:-2], {}),
        (good.replace(note.encode(), mark.encode()), {"content_type": "application/x-python-serialize"}),
        (good.replace(note.encode(), mark.encode()), {"content_encoding": "gzip"}),
        (good.replace(note.encode(), mark.encode()).replace(b"/concordat/echo", b"/concordat/mirror"), {}),
        (good.replace(b'"sequence":"1"', b'"sequence":"' + mark.encode() + b'"'), {}),
    ]
    for body, properties in poison:
        operator.publish(body, **properties)
    operator.emit(note, 2)
    operator.publish(mark.encode() + b" " * 1_500_000)
    until(lambda: len(operator.dead(mark)) == len(poison) + 1)
    until(lambda: store.applied(note) == [1, 2])
    assert {letter.headers.get("x-reason") for letter in operator.dead(mark)} == {
        "not_an_event", "content_type", "content_encoding", "other_source", "too_large"
    }  # fmt: skip
    logged = "".join(process.log.read_text() for process in mirrors)
    assert mark not in logged
    assert "body_sha256" in logged


@pytest.mark.usefixtures("mirrors")
def test_headers_that_make_no_sense_do_no_harm(operator: Operator, store: MirrorStore) -> None:
    note = named()
    operator.emit(note, 1, headers={"x-attempts": "many", "x-first-at": 2**40})
    operator.emit(note, 2, headers={"x-attempts": {"a": 1}, "x-first-at": [1], "x-death": "?"})
    until(lambda: store.applied(note) == [1, 2])


def test_while_the_database_is_frozen_events_wait_and_no_attempt_is_burnt(
    cell: Cell, operator: Operator, store: MirrorStore, mirrors: list[ServiceProcess]
) -> None:
    """Each has one attempt left: a burnt one would show as a dead letter."""
    notes = [named("frozen-") for _ in range(8)]
    for note in notes:
        operator.emit(note, 1)
    until(lambda: all(store.applied(note) == [1] for note in notes))
    database = cell.processes()["mongo"].pid
    with still([database]):
        for note in notes:
            for number in (2, 3):
                operator.emit(note, number, headers=LAST_ATTEMPT)
        until(lambda: any(mirror.said("event_waits") for mirror in mirrors), seconds=40)
    until(lambda: all(store.applied(note) == [1, 2, 3] for note in notes), seconds=40)
    assert operator.dead("frozen-") == []
