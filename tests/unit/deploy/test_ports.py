"""Ports stay the same where they can, and one that was asked for is never silently replaced."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from deploy.launcher import ports
from deploy.launcher.trouble import Trouble


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_the_one_of_last_time_is_taken_again() -> None:
    before = ports.free()
    assert ports.choose(["echo-1"], {}, {"echo-1": before}) == {"echo-1": before}


def test_the_one_of_last_time_is_replaced_when_another_has_it(taken: int) -> None:
    assert ports.choose(["echo-1"], {}, {"echo-1": taken})["echo-1"] != taken


def test_one_that_was_asked_for_and_is_in_use_is_trouble(taken: int) -> None:
    with pytest.raises(Trouble, match=f"Port {taken} for gateway-1 is in use"):
        ports.choose(["gateway-1"], {"gateway-1": taken}, {})


def test_no_two_programs_get_the_same() -> None:
    chosen = ports.choose([f"echo-{n}" for n in range(50)], {}, {})
    assert len(set(chosen.values())) == 50
