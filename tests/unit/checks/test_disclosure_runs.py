"""The check reads what the chassis writes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis import logs
from services.chassis.calls import Attempts
from services.chassis.deadline import Deadline
from services.contracts.errors import LinkDown
from tests.checks.disclosure.runs import RAN_AGAIN, ran_again
from tests.logging_here import logging_to

CHASSIS = Path(logs.__file__).parent


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """A folder, in one file of which the chassis's log is."""
    with (tmp_path / "gateway-1.log").open("w", encoding="utf-8") as stream, logging_to(stream):
        yield tmp_path


def test_a_call_that_is_attempted_again_is_known_by_its_request(written: Path) -> None:
    Attempts(Deadline(time.time() + 10), "echo.say", "check-1").after(LinkDown())
    assert ran_again(written) == {"check-1"}


@pytest.mark.parametrize("event", RAN_AGAIN)
def test_there_is_such_an_event(event: str) -> None:
    assert any(event in file.read_text(encoding="utf-8") for file in CHASSIS.glob("*.py"))
