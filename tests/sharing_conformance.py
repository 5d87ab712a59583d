"""What the stores of sharing promise, each once for the fake and for the real one."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import RateLimited
from services.sharing.domain import limits

NOW = datetime.now(UTC).replace(microsecond=0)


def new_key() -> str:
    return limits.of_username(uuid.uuid4().hex)


class AttemptStoreConformance:
    """Attempts to log in, counted by key."""

    def test_the_eleventh_failure_within_the_window_is_not_heard(self, store: Any) -> None:
        key = new_key()
        for minute in range(limits.PER_USERNAME):
            store.begin([key], NOW + timedelta(minutes=minute))
        for _ in range(20):
            with pytest.raises(RateLimited) as refused:
                store.begin([key], NOW + timedelta(minutes=10))
            assert refused.value.retry_after == 5 * 60 + 1
        store.begin([key], NOW + limits.WINDOW)
        with pytest.raises(RateLimited):
            store.begin([key], NOW + limits.WINDOW)

    def test_a_forgiven_attempt_does_not_count(self, store: Any) -> None:
        keys = [new_key(), limits.of_address(uuid.uuid4().hex)]
        for _ in range(3 * limits.PER_USERNAME):
            store.forgive(keys, store.begin(keys, NOW))
        for _ in range(limits.PER_USERNAME):
            store.begin(keys, NOW)
        with pytest.raises(RateLimited):
            store.begin(keys, NOW)

    def test_what_one_key_refuses_is_not_counted_for_the_other(self, store: Any) -> None:
        address, full = limits.of_address(uuid.uuid4().hex), new_key()
        for _ in range(limits.PER_USERNAME):
            store.begin([full], NOW)
        for _ in range(limits.PER_ADDRESS):
            with pytest.raises(RateLimited):
                store.begin([address, full], NOW)
        assert store.begin([address, new_key()], NOW)

    def test_keys_do_not_touch_each_other(self, store: Any) -> None:
        one, other = new_key(), new_key()
        for _ in range(limits.PER_USERNAME):
            store.begin([one], NOW)
        assert store.begin([other], NOW)
