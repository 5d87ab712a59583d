"""What becomes of a request at its service: answered, refused, put aside or handed back, and settled once."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import amqp
import msgspec
import pytest
from nameko.exceptions import ContainerBeingKilled
from structlog.testing import capture_logs

from services.chassis.deadline import Deadline
from services.chassis.formats import NOT_TAKEN, Incoming
from services.chassis.frames import Message
from services.chassis.payload import BODY_LIMIT, Call, Signature, raw
from services.chassis.plain import Plain
from services.chassis.rpc import CallServer, CommandRpc, Rpc
from services.contracts.echo import Said, Say
from services.contracts.errors import Unavailable

WORKERS = 2


class _Echo:
    def say(self, request: Say) -> Said: ...  # type: ignore[empty-body]

    def change_note(self, request: Say) -> Said: ...  # type: ignore[empty-body]


class _Channel:
    """What of a channel a server uses; `settled` has each delivery tag and what became of it."""

    channel_id = 1

    def __init__(self) -> None:
        self.settled: list[tuple[int, str]] = []
        self.connection: Any = SimpleNamespace(wire=SimpleNamespace(write=self._write))
        self.auto_decode = True

    def _write(self, frame: bytes) -> None:
        assert frame[7:11] == b"\0\x3c\0\x50"
        self.settled.append((int.from_bytes(frame[11:19], "big"), "acked"))

    def basic_reject(self, tag: int, requeue: bool) -> None:
        self.settled.append((tag, "requeued" if requeue else "dropped"))

    def basic_qos(self, *_: Any) -> None: ...

    def basic_consume(self, *_: Any, **__: Any) -> None: ...

    def basic_cancel(self, *_: Any, **__: Any) -> None: ...


class _Service:
    """A server between a broker and a container that are both made up."""

    def __init__(self) -> None:
        self.channel = _Channel()
        self.published: list[tuple[str, bytes]] = []
        self.kinds: list[str | None] = []
        self.workers: list[Callable[..., Any]] = []
        self.refuses_to_publish = self.being_killed = False
        server = CallServer()
        settings = SimpleNamespace(call_timeout=4.0, workers=WORKERS)
        link = SimpleNamespace(publish=self._publish, wait_up=lambda seconds: True)
        consuming = SimpleNamespace(attach=lambda *_: None)
        server.bus = SimpleNamespace(  # type: ignore[assignment]
            settings=settings, publishing=link, consuming=consuming, speak=Plain(), keyring=None
        )
        server.container = SimpleNamespace(service_name="echo", spawn_worker=self._spawn)
        server.setup()
        server._providers = {self._entrypoint(Rpc, "say"), self._entrypoint(CommandRpc, "change_note")}
        connection: Any = SimpleNamespace(channel=lambda: self.channel)
        server._consume(connection)
        self.server = server

    def _entrypoint(self, kind: type[Rpc], method: str) -> Rpc:
        entrypoint = kind()
        entrypoint.method_name, entrypoint.signature = method, Signature(getattr(_Echo, method))
        return entrypoint

    def _publish(self, _exchange: str, key: str, body: bytes, properties: Any) -> None:
        if self.refuses_to_publish:
            raise Unavailable(cause="the broker blocks publishers")
        self.published.append((key, body))
        self.kinds.append(properties.get("type"))

    def _spawn(self, *_: Any, handle_result: Callable[..., Any], **__: Any) -> None:
        if self.being_killed:
            raise ContainerBeingKilled
        self.workers.append(handle_result)

    def arrive(
        self, method: str = "say", tag: int = 1, seconds: float = 4, redelivered: bool = False, **kwargs: Any
    ) -> None:
        call = Call(kwargs={"request": raw({"text": "hi"}), **kwargs}, request_id="r1", key="k1")
        body, properties = Plain().request(
            f"echo.{method}", call, Deadline.after(seconds), f"c{tag}", "rpc.reply-x"
        )
        self.deliver(amqp.Message(body, **properties), method, tag, redelivered=redelivered)

    def deliver(
        self, message: amqp.Message, method: str = "say", tag: int = 1, *, redelivered: bool = False
    ) -> None:
        message.channel = self.channel
        message.delivery_info = {
            "routing_key": f"echo.{method}",
            "delivery_tag": tag,
            "redelivered": redelivered,
        }
        self.server._arrived(message)

    def finish(self, result: Any = None, worker: int = 0) -> None:
        self.workers.pop(worker)(None, result, None)

    def answers(self) -> list[Any]:
        return [json.loads(body) for key, body in self.published if key == "rpc.reply-x"]

    def codes(self) -> list[str]:
        return [answer["error"]["code"] for answer in self.answers()]


@pytest.fixture
def service() -> _Service:
    return _Service()


def test_a_query_is_settled_once_when_it_has_begun(service: _Service) -> None:
    service.arrive()
    assert service.channel.settled == [(1, "acked")]
    service.finish(Said(text="hi"))
    assert service.channel.settled == [(1, "acked")]
    assert service.answers() == [{"result": {"text": "hi"}, "error": None}]


def test_a_command_is_settled_when_it_is_answered(service: _Service) -> None:
    service.arrive("change_note")
    assert service.channel.settled == []
    service.finish(Said(text="hi"))
    assert service.channel.settled == [(1, "acked")]


class _OfOurs(Plain):
    """Nameko's form, but from one of our services."""

    def incoming(self, message: amqp.Message, route: str, patience: float) -> Incoming:
        return msgspec.structs.replace(super().incoming(message, route, patience), peer="gateway")


def test_a_query_that_is_delivered_again_is_turned_back_and_not_run(service: _Service) -> None:
    service.server.bus.speak = _OfOurs()
    service.arrive(redelivered=True)
    assert (service.workers, service.kinds) == ([], [NOT_TAKEN])
    assert service.channel.settled == [(1, "acked")]
    service.arrive(tag=2)
    assert len(service.workers) == 1


def test_a_command_that_is_delivered_again_runs_and_the_log_says_of_which_request(service: _Service) -> None:
    service.server.bus.speak = _OfOurs()
    with capture_logs() as said:
        service.arrive("change_note", redelivered=True)
    assert (len(service.workers), service.published) == (1, [])
    (line,) = said
    assert (line["event"], line["request_id"]) == ("command_delivered_again", "r1")


def test_who_speaks_nameko_s_own_form_gets_what_nameko_gives(service: _Service) -> None:
    service.arrive(redelivered=True)
    assert len(service.workers) == 1


@pytest.mark.parametrize("method", ["say", "change_note"])
def test_a_request_that_a_dying_container_does_not_take_is_handed_back_and_not_acknowledged(
    service: _Service, method: str
) -> None:
    service.being_killed = True
    service.arrive(method)
    assert service.channel.settled == [(1, "requeued")]
    assert service.server._running == 0


def test_a_result_that_json_cannot_say_is_an_answer_too(service: _Service) -> None:
    for method in ("say", "change_note"):
        service.arrive(method)
        service.finish(object())
    assert service.codes() == ["internal", "internal"]
    assert service.server._running == 0


def test_a_result_that_is_too_large_is_an_answer_too(service: _Service) -> None:
    service.arrive()
    service.finish("x" * (BODY_LIMIT + 1))
    assert service.codes() == ["internal"]


def test_commands_whose_answers_cannot_be_sent_do_not_use_up_the_service(service: _Service) -> None:
    service.refuses_to_publish = True
    for tag in range(1, 4 * WORKERS):
        service.arrive("change_note", tag)
        service.finish(Said(text="hi"))
    assert service.channel.settled == [(tag, "acked") for tag in range(1, 4 * WORKERS)]
    service.refuses_to_publish = False
    service.arrive("change_note", 99)
    service.finish(Said(text="hi"))
    assert len(service.answers()) == 1


def test_no_more_run_than_there_are_workers_and_the_rest_follows(service: _Service) -> None:
    for tag in range(1, 6):
        service.arrive(tag=tag)
    assert len(service.workers) == WORKERS
    for _ in range(5):
        service.finish(Said(text="hi"))
    assert len(service.answers()) == 5
    assert service.workers == []


def test_a_service_that_is_stopping_hands_back_what_has_not_begun(service: _Service) -> None:
    for tag in (1, 2, 3):
        service.arrive("change_note", tag)
    service.server.stop()
    service.arrive("change_note", 4)
    assert service.channel.settled == [(3, "requeued"), (4, "requeued")]
    service.finish(Said(text="hi"))
    service.finish(Said(text="hi"))
    assert len(service.answers()) == 2
    assert service.workers == []


def test_a_request_that_nobody_waits_for_is_not_begun(service: _Service) -> None:
    service.arrive(seconds=-1)
    assert service.channel.settled == [(1, "acked")]
    assert not service.workers
    assert not service.published


@pytest.mark.parametrize(
    ("method", "kwargs", "code"),
    [
        ("sing", {}, "unknown_method"),
        ("say", {"more": raw(1)}, "malformed"),
        ("say", {"request": raw({"text": 7})}, "invalid"),
    ],
)
def test_a_request_that_may_not_run_is_answered_with_the_reason(
    service: _Service, method: str, kwargs: dict[str, Any], code: str
) -> None:
    service.arrive(method, **kwargs)
    assert service.codes() == [code]
    assert service.channel.settled == [(1, "acked")]
    assert service.workers == []


def test_a_command_without_a_key_is_answered_with_the_reason(service: _Service) -> None:
    body, properties = Plain().request(
        "echo.change_note", Call(kwargs={"request": raw({})}), Deadline.after(4), "c1", "rpc.reply-x"
    )
    service.deliver(amqp.Message(body, **properties), "change_note")
    assert service.codes() == ["idempotency_key_required"]


def _oversize() -> amqp.Message:
    message = Message(b"", reply_to="rpc.reply-x", correlation_id="c1")
    message.oversize = True
    return message


@pytest.mark.parametrize(
    "message",
    [
        amqp.Message(b"{}"),
        amqp.Message(b"not json", reply_to="rpc.reply-x", correlation_id="c1"),
        amqp.Message(b"x" * (BODY_LIMIT + 1), reply_to="rpc.reply-x", correlation_id="c1"),
        _oversize(),
    ],
)
def test_what_can_never_be_served_is_put_aside_and_does_not_come_back(
    service: _Service, message: amqp.Message
) -> None:
    service.deliver(message)
    assert [key for key, _ in service.published] == ["dead-echo"]
    assert service.channel.settled == [(1, "acked")]


def test_a_raw_argument_that_cannot_be_decoded_is_refused_and_does_not_come_back(service: _Service) -> None:
    body = b'{"args":[],"kwargs":{"request":"\xff"}}'
    service.deliver(amqp.Message(body, reply_to="rpc.reply-x", correlation_id="c1"))
    assert service.codes() == ["malformed"]
    assert service.channel.settled == [(1, "acked")]


def test_a_defect_of_ours_costs_one_request_and_not_the_connection(
    service: _Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.server.bus.speak, "incoming", lambda *_: 1 / 0)
    service.arrive()
    assert [key for key, _ in service.published] == ["dead-echo"]
    assert service.channel.settled == [(1, "acked")]


def test_nothing_is_settled_on_a_connection_that_is_gone(service: _Service) -> None:
    for tag in (1, 2, 3):
        service.arrive("change_note", tag)
    service.server._lost()
    service.finish(Said(text="hi"))
    service.finish(Said(text="hi"))
    assert service.channel.settled == []
    assert service.workers == []  # the third is the broker's again
