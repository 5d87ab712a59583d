"""Run in a patched process by test_link.py: links and a client whose broker is made up."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import amqp
import eventlet

from services.chassis import client
from services.chassis.calls import ask
from services.chassis.client import GreenCalls
from services.chassis.link import Link
from services.chassis.payload import Answer, encode, raw
from services.chassis.plain import Plain
from services.contracts.errors import ConcordatError, DeadlineExpired, LinkDown

NOWHERE = ["amqp://127.0.0.1:1"]


def one_waiter_gives_up() -> dict[str, Any]:
    """Two wait for a connection, one of them not for long; then it comes up."""
    waited = Link(NOWHERE, "test")
    found: dict[str, bool] = {}

    def wait(name: str, seconds: float) -> None:
        found[name] = waited.wait_up(seconds)

    threads = [eventlet.spawn(wait, "impatient", 0.05), eventlet.spawn(wait, "patient", 5)]
    threads[0].wait()
    eventlet.sleep(0)
    early = dict(found)
    waited._channel = object()
    waited._came_up.send(True)
    threads[1].wait()
    return {"early": early, "late": found}


def losses_without_end() -> dict[str, Any]:
    """Every connection is lost as soon as it is made. How long four of them take."""
    lost = Link(NOWHERE, "test")
    dials: list[float] = []
    lost._dial = lambda: dials.append(time.monotonic())  # type: ignore[method-assign]
    lost._read_until_lost = lambda: 0.0  # type: ignore[method-assign]
    lost.start()
    with eventlet.Timeout(20):
        while len(dials) < 4:
            eventlet.sleep(0.01)
    lost.kill()
    return {"seconds": dials[3] - dials[0]}


def a_callback_that_fails() -> dict[str, Any]:
    """One user's `lost` raises each time; nothing listens where the link dials."""
    failing = Link(NOWHERE, "test")
    told: list[int] = []

    def fail() -> None:
        raise LookupError

    failing.attach(lambda connection: None, fail)
    failing.attach(lambda connection: None, lambda: told.append(1))
    failing.start()
    with eventlet.Timeout(20):
        while len(told) < 3:
            eventlet.sleep(0.01)
    failing.kill()
    return {"up": failing.up}


def every_link_case() -> dict[str, Any]:
    """One process for all: starting it takes longer than they do."""
    return {
        "one_waiter_gives_up": one_waiter_gives_up(),
        "losses_without_end": losses_without_end(),
        "a_callback_that_fails": a_callback_that_fails(),
    }


class _Broker:
    """Both links of a client; `answer` says what becomes of each request, by its number."""

    def __init__(self, answer: Callable[[_Broker, int, str], None]) -> None:
        self.requests: list[str] = []
        self._answer = answer
        self.calls = GreenCalls("gateway", self._link(), self._link(), Plain())
        self.calls._replies._address = "rpc.reply-gateway-1"
        self.calls.start()

    def _link(self) -> Any:
        return SimpleNamespace(
            attach=lambda *_: None,
            watch_returns=lambda *_: None,
            wait_up=lambda seconds: True,
            up=True,
            blocked=False,
            publish=self._publish,
        )

    def _publish(self, _exchange: str, _key: str, _body: bytes, properties: Any, mandatory: bool) -> None:
        self.requests.append(properties["correlation_id"])
        eventlet.spawn(self._answer, self, len(self.requests), properties["correlation_id"])

    def reply(self, correlation_id: str, answer: Answer) -> None:
        self.calls._replies.arrived(amqp.Message(encode(answer), correlation_id=correlation_id))

    def call(self, patience: float) -> dict[str, Any]:
        started = time.monotonic()
        try:
            outcome = self.calls.call(ask("echo.say", None, reply=None, patience=patience))
        except ConcordatError as problem:
            outcome = problem.code
        return {
            "outcome": outcome,
            "requests": len(self.requests),
            "ids": len(set(self.requests)),
            "seconds": time.monotonic() - started,
            "pending": len(self.calls._replies.pending.attempts),
        }


def answered_with_an_error(code: str) -> dict[str, Any]:
    error = {"deadline_expired": DeadlineExpired(), "link_down": LinkDown()}[code].to_wire()
    return _Broker(lambda broker, _, id: broker.reply(id, Answer(error=error))).call(2)


def silent_at_first() -> dict[str, Any]:
    def answer(broker: _Broker, number: int, id: str) -> None:
        if number == 2:
            broker.reply(id, Answer(result=raw("second")))

    return _Broker(answer).call(0.8)


def silent_for_good() -> dict[str, Any]:
    return _Broker(lambda *_: None).call(0.6)


def lost_at_first() -> dict[str, Any]:
    def answer(broker: _Broker, number: int, id: str) -> None:
        if number < 4:
            broker.calls._replies.lost()
            broker.calls._replies._address = "rpc.reply-gateway-2"
        else:
            broker.reply(id, Answer(result=raw("fourth")))

    return _Broker(answer).call(2)


def nobody_there() -> dict[str, Any]:
    return _Broker(lambda broker, _, id: broker.calls._replies.returned(id)).call(2)


def answered_twice() -> dict[str, Any]:
    def answer(broker: _Broker, _: int, id: str) -> None:
        broker.reply("never asked", Answer(result=raw("stray")))
        for text in ("first", "second"):
            broker.reply(id, Answer(result=raw(text)))

    return _Broker(answer).call(2)


def every_client_case() -> dict[str, Any]:
    client.LOOK_EVERY = 0.01
    return {
        "deadline_expired": answered_with_an_error("deadline_expired"),
        "link_down": answered_with_an_error("link_down"),
        "silent_at_first": silent_at_first(),
        "silent_for_good": silent_for_good(),
        "lost_at_first": lost_at_first(),
        "nobody_there": nobody_there(),
        "answered_twice": answered_twice(),
    }
