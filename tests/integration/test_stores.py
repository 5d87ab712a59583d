"""The stores on a real database keep the promises that their fakes keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.chassis.deadline import Deadline
from services.chassis.mongo import Client, connect, transact
from services.echo.store import NoteStore
from services.mirror.store import MirrorStore
from tests.cell import Parts
from tests.store_conformance import MirrorStoreConformance, NoteStoreConformance, Write


class OnMongo:
    service: str
    make: Callable[[Any], Any]

    @pytest.fixture
    def client(self, parts: Parts) -> Iterator[Client]:
        with connect(parts.mongo_url(self.service), app="test") as client:
            yield client

    @pytest.fixture
    def store(self, client: Client) -> Any:
        return type(self).make(client[self.service])

    @pytest.fixture
    def write(self, client: Client) -> Write:
        def run(operation: Callable[[Any], Any]) -> Any:
            return transact(client, Deadline.after(5), operation)

        return run


class TestNoteStore(OnMongo, NoteStoreConformance):
    service, make = "echo", NoteStore


class TestMirrorStore(OnMongo, MirrorStoreConformance):
    service, make = "mirror", MirrorStore
