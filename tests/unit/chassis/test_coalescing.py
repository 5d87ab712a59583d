"""One read serves all who came before it began, and nobody who came later."""

from __future__ import annotations

from typing import Any

import eventlet
import pytest

from services.chassis.coalescing import Coalesced


class Source:
    """Reads take a turn; each gives its number."""

    def __init__(self) -> None:
        self.begun = self.running = self.most = 0
        self.problem: Exception | None = None

    def read(self) -> int:
        self.begun += 1
        mine = self.begun
        self.running += 1
        self.most = max(self.most, self.running)
        eventlet.sleep(0.005)
        self.running -= 1
        if self.problem is not None:
            raise self.problem
        return mine


def outcomes(coalesced: Coalesced[int], source: Source, count: int) -> list[Any]:
    """What `count` askers got, each with how many reads had begun before it asked."""

    def ask(delay: float) -> None:
        eventlet.sleep(delay)
        before = source.begun
        got = coalesced.get()
        found.append((before, got))

    found: list[Any] = []
    threads = [eventlet.spawn(ask, (number % 17) / 1000) for number in range(count)]
    for thread in threads:
        thread.wait()
    return found


def test_nobody_gets_what_was_read_before_it_asked() -> None:
    source = Source()
    found = outcomes(Coalesced(source.read), source, 300)
    assert len(found) == 300
    assert all(got > before for before, got in found)
    assert source.most == 1
    assert source.begun <= 10


def test_one_alone_does_not_wait() -> None:
    source = Source()
    coalesced = Coalesced(source.read)
    assert [coalesced.get(), coalesced.get()] == [1, 2]


def test_a_failure_is_everybodys_and_passes() -> None:
    source = Source()
    coalesced = Coalesced(source.read)
    source.problem = LookupError()
    threads = [eventlet.spawn(coalesced.get) for _ in range(5)]
    for thread in threads:
        with pytest.raises(LookupError):
            thread.wait()
    source.problem = None
    assert coalesced.get() == source.begun
