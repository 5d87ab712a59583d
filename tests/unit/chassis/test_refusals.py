"""Dead letters are bounded, and an error tells its reason only inside."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import amqp
import pytest

from services.chassis import refusals
from services.chassis.refusals import Allowance, DeadLetters, public
from services.contracts.errors import Internal, LinkDown, Malformed, NotVisible


class _Link:
    def __init__(self) -> None:
        self.down = False
        self.published: list[tuple[str, str, bytes, dict[str, Any]]] = []

    def publish(self, *message: Any) -> None:
        if self.down:
            raise LinkDown
        self.published.append(message)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    lines: list[tuple[str, dict[str, Any]]] = []
    log = SimpleNamespace(warning=lambda event, **values: lines.append((event, values)))
    monkeypatch.setattr(refusals, "log", log)
    return lines


def test_an_allowance_is_used_up_and_grows_back() -> None:
    now = [100.0]
    allowance = Allowance(3, 1.0, clock=lambda: now[0])
    assert [allowance.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] += 1
    assert [allowance.take() for _ in range(2)] == [True, False]
    now[0] += 1000
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]


def test_a_refused_request_is_kept_and_logged_without_its_body(logged: list[Any]) -> None:
    link: Any = _Link()
    DeadLetters(link, "echo", "rpc-echo").keep(amqp.Message(b"Jane Doe"), Malformed())
    ((exchange, key, body, properties),) = link.published
    digest = hashlib.sha256(b"Jane Doe").hexdigest()
    assert (exchange, key, body) == ("echo.retries", "dead-echo", b"")
    assert properties["application_headers"] == {
        "x-reason": "malformed",
        "x-queue": "rpc-echo",
        "x-sha256": digest,
        "x-size": 8,
    }
    assert properties["delivery_mode"] == 2
    assert "Jane" not in str(logged)
    assert logged[0][1]["body_sha256"] == digest


def test_a_flood_of_refused_messages_is_counted_and_not_kept(logged: list[Any]) -> None:
    link: Any = _Link()
    now = [0.0]
    dead = DeadLetters(link, "echo", "rpc-echo", Allowance(2, 1.0, clock=lambda: now[0]))
    for _ in range(50):
        dead.keep(amqp.Message(b"x"), Malformed())
    now[0] += 1
    dead.keep(amqp.Message(b"y"), Malformed())
    digests = [hashlib.sha256(body).hexdigest() for body in (b"x", b"x", b"y")]
    assert [message[3]["application_headers"]["x-sha256"] for message in link.published] == digests
    assert [values["count"] for _, values in logged] == [0, 0, 48]


def test_a_dead_letter_that_cannot_be_kept_harms_nothing(logged: list[Any]) -> None:
    link: Any = _Link()
    link.down = True
    DeadLetters(link, "echo", "rpc-echo").keep(amqp.Message(""), Malformed())
    assert [event for event, _ in logged] == ["dead_letter", "dead_letter_not_kept"]


def test_only_our_own_errors_are_public() -> None:
    ours = NotVisible()
    assert public(ours) is ours
    foreign = public(ValueError("Jane Doe"))
    assert isinstance(foreign, Internal)
    assert "Jane" not in str(foreign.to_wire()) + str(foreign) + str(foreign.cause)
    assert isinstance(public(KeyboardInterrupt()), Internal)
