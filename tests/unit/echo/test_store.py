"""The fake note store keeps the real one's promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.echo.fakes import FakeNoteStore
from tests.store_conformance import NoteStoreConformance, Write


class TestFakeNoteStore(NoteStoreConformance):
    @pytest.fixture
    def store(self) -> FakeNoteStore:
        return FakeNoteStore()

    @pytest.fixture
    def write(self) -> Write:
        def run(operation: Callable[[Any], Any]) -> Any:
            return operation(None)

        return run
