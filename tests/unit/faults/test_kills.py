"""Between a worker's death and the next one's birth there is none: neither mended nor an error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.kinds import kills
from tests.faults.kinds.kills import GATEWAY_WORKER


class FakeStage:
    planned_exits = 0

    def __init__(self, *workers: int) -> None:
        self._workers = list(workers)

    def gateway_worker(self) -> int:
        return self._workers.pop(0)

    def accepts(self, name: str) -> bool:
        return True


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    pids: list[int] = []
    monkeypatch.setattr(kills.os, "kill", lambda pid, _signal: pids.append(pid))
    return pids


def test_a_gateway_without_a_worker_is_not_mended(killed: list[int]) -> None:
    stage: Any = FakeStage(7, 7, 0, 8)
    fault = kills.Kill(GATEWAY_WORKER, times=1)
    fault.inject(stage)
    assert killed == [7]
    assert [fault.mended(stage) for _ in range(3)] == [False, False, True]


def test_nobody_is_killed_where_there_is_no_worker(killed: list[int]) -> None:
    stage: Any = FakeStage(0)
    with pytest.raises(LookupError):
        kills.Kill(GATEWAY_WORKER, times=1).inject(stage)
    assert killed == []
