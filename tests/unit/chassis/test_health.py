"""What a process says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.chassis.health import Health


def ask(health: Health, path: str, method: str = "GET") -> tuple[str, Any]:
    answered: list[str] = []
    body = b"".join(
        health({"REQUEST_METHOD": method, "PATH_INFO": path}, lambda status, headers: answered.append(status))
    )
    return answered[0], json.loads(body) if body.startswith(b"{") else body.decode()


@pytest.fixture
def health() -> Health:
    return Health()


def test_it_is_alive_whatever_else_is_down(health: Health) -> None:
    health.add("broker", lambda: False)
    assert ask(health, "/livez") == ("200 OK", {"status": "alive"})


def test_it_is_ready_when_every_condition_holds(health: Health) -> None:
    health.add("broker", lambda: True)
    health.add("database", lambda: True)
    assert ask(health, "/readyz") == ("200 OK", {"status": "ready"})


def test_it_names_what_is_missing(health: Health) -> None:
    health.add("broker", lambda: False)
    health.add("database", lambda: True)
    assert ask(health, "/readyz") == (
        "503 Service Unavailable",
        {"status": "not_ready", "failing": ["broker"]},
    )


def test_a_check_that_raises_counts_as_failing(health: Health) -> None:
    health.add("database", lambda: 1 / 0 > 0)
    assert health.failing() == ["database"]


def test_a_condition_may_be_replaced(health: Health) -> None:
    health.add("broker", lambda: False)
    health.add("broker", lambda: True)
    assert health.failing() == []


def test_a_process_that_stops_is_not_ready(health: Health) -> None:
    health.drain()
    assert ask(health, "/readyz")[1] == {"status": "not_ready", "failing": ["draining"]}
    assert ask(health, "/livez")[0] == "200 OK"


def test_metrics_are_served(health: Health) -> None:
    status, page = ask(health, "/metrics")
    assert status == "200 OK"
    assert "concordat_hub_gap_seconds" in page


def test_anything_else_is_refused(health: Health) -> None:
    assert ask(health, "/")[0] == "404 Not Found"
    assert ask(health, "/livez", "POST")[0] == "405 Method Not Allowed"
