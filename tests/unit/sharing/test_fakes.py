"""The doubles keep the promises of the real stores."""

from __future__ import annotations

import pytest

from services.sharing.fakes import FakeAttemptStore
from tests.sharing_conformance import AttemptStoreConformance


class TestFakeAttemptStore(AttemptStoreConformance):
    @pytest.fixture
    def store(self) -> FakeAttemptStore:
        return FakeAttemptStore()
