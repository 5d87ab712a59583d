"""From a command to its effect elsewhere, with parts of the way missing. On the real broker and database."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.mirror.store import MirrorStore
from tests.cell import Parts
from tests.integration.running_services import Client, Operator, ServiceProcess, services
from tests.waiting import until

LEASE_SECONDS = 2.0


@pytest.fixture(scope="module")
def pair(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServiceProcess]]:
    """Two producers and a consumer."""
    settings = {"CONCORDAT_LEASE_SECONDS": str(LEASE_SECONDS)}
    with services(
        parts, tmp_path_factory.mktemp("logs"), "echo", "echo", "mirror", settings=settings
    ) as started:
        yield started


@pytest.fixture
def client(parts: Parts) -> Iterator[Client]:
    client = Client(parts)
    yield client
    client.close()


@pytest.fixture
def producing(parts: Parts) -> Iterator[Any]:
    """Echo's database."""
    with connect(parts.mongo_url("echo"), app="test") as client:
        yield client["echo"]


@pytest.fixture
def note() -> str:
    return uuid.uuid4().hex


def unsent(database: Any, note: str) -> int:
    return int(database["commands"].count_documents({"unsent": True, "events.aggregate": f"notes/{note}"}))


@pytest.mark.usefixtures("pair")
def test_n1_a_command_given_twenty_times_at_once_takes_effect_once_everywhere(
    client: Client, producing: Any, store: MirrorStore, note: str
) -> None:
    key = uuid.uuid4().hex
    assert client.change(note, key, times=20) == [1] * 20
    assert producing["changes"].count_documents({"note_id": note}) == 1
    assert producing["commands"].count_documents({"events.aggregate": f"notes/{note}"}) == 1
    assert client.change(note) == [2]
    assert client.change(note, key) == [1]
    until(lambda: len(store.applied(note)) >= 2)
    assert store.applied(note) == [1, 2]
    assert client.followed(note).applied == 2


def test_n11_an_event_that_no_queue_takes_stays_alarmed_until_one_does(
    pair: list[ServiceProcess],
    client: Client,
    operator: Operator,
    producing: Any,
    store: MirrorStore,
    note: str,
) -> None:
    operator.bind(False)
    try:
        assert client.change(note) == [1]
        relays = pair[:2]
        until(lambda: sum(relay.metric('relay_failures_total{reason="returned"}') for relay in relays) >= 2)
        assert any(relay.said("events_not_relayed") for relay in relays)
        assert unsent(producing, note) == 1
    finally:
        operator.bind(True)
    until(lambda: store.applied(note) == [1])
    until(lambda: unsent(producing, note) == 0)


def holder(database: Any) -> str:
    """The name of the process whose relay holds the lease."""
    row = database["leases"].find_one({"_id": "relay"})
    return str(row["holder"])


def test_two_relays_one_paused_past_its_lease_lose_double_and_disorder_nothing(
    pair: list[ServiceProcess], client: Client, producing: Any, store: MirrorStore
) -> None:
    notes = [uuid.uuid4().hex for _ in range(6)]
    versions = dict.fromkeys(notes, 0)
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            for note in notes:
                (versions[note],) = client.change(note)

    leading, token = holder(producing), producing["leases"].find_one({"_id": "relay"})["token"]
    paused = next(process for process in pair[:2] if leading.startswith(process.instance))
    loading = threading.Thread(target=load)
    loading.start()
    try:
        until(lambda: min(versions.values()) >= 5, seconds=30)
        paused.pause()
        until(lambda: holder(producing) != leading, seconds=LEASE_SECONDS * 5)
        reached = min(versions.values())
        until(lambda: min(versions.values()) >= reached + 5, seconds=30)
        paused.resume()
        reached = min(versions.values())
        until(lambda: min(versions.values()) >= reached + 5, seconds=30)
    finally:
        paused.resume()
        stop.set()
        loading.join(40)
    until(lambda: all(len(store.applied(note)) >= versions[note] for note in notes), seconds=30)
    assert all(store.applied(note) == list(range(1, versions[note] + 1)) for note in notes)
    assert producing["leases"].find_one({"_id": "relay"})["token"] > token


def test_without_confirms_an_event_that_no_queue_took_is_believed_sent(
    pair: list[ServiceProcess],
    parts: Parts,
    client: Client,
    operator: Operator,
    producing: Any,
    note: str,
    tmp_path: Path,
) -> None:
    """What the fault harness relies on. The pair is stopped: its relays would do it right."""
    for process in pair:
        process.end()
    operator.bind(False)
    try:
        with services(parts, tmp_path, "echo", settings=off("no_confirm")):
            assert client.change(note) == [1]
            until(lambda: unsent(producing, note) == 0)
    finally:
        operator.bind(True)


def test_without_the_outbox_events_are_published_and_kept_nowhere(
    parts: Parts, client: Client, producing: Any, store: MirrorStore, note: str, tmp_path: Path
) -> None:
    with services(parts, tmp_path, "echo", "mirror", settings=off("no_outbox")):
        assert client.change(note) == [1]
        until(lambda: store.applied(note) == [1])
    assert producing["commands"].count_documents({"events.aggregate": f"notes/{note}"}) == 0


def off(fault: str) -> dict[str, str]:
    return {"CONCORDAT_FAULTS": fault, "CONCORDAT_ALLOW_FAULTS": "1"}
