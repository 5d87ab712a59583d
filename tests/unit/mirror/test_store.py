"""The fake mirror store keeps the real one's promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.mirror.fakes import FakeMirrorStore
from tests.store_conformance import MirrorStoreConformance, Write


class TestFakeMirrorStore(MirrorStoreConformance):
    @pytest.fixture
    def store(self) -> FakeMirrorStore:
        return FakeMirrorStore()

    @pytest.fixture
    def write(self) -> Write:
        def run(operation: Callable[[Any], Any]) -> Any:
            return operation(None)

        return run
