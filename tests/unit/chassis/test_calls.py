"""Making a call, judging its answer, spending its time."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import amqp
import pytest
from structlog.testing import capture_logs

from services.chassis import calls, deadline
from services.chassis.calls import Asked, Attempts, ask, judge, message_of, require_key, without_deadline
from services.chassis.context import Context, use
from services.chassis.deadline import HOP_MARGIN, Deadline
from services.chassis.formats import LONGEST
from services.chassis.payload import BODY_LIMIT, NAME_LIMIT, Answer, encode, raw
from services.chassis.pending import ATTEMPT_SHARE, Attempt
from services.chassis.plain import Plain
from services.chassis.replies import listen_for_replies
from services.contracts.caller import SignedCaller
from services.contracts.echo import Said, Say
from services.contracts.errors import (
    Busy,
    ConcordatError,
    DeadlineExpired,
    IdempotencyKeyRequired,
    Internal,
    Invalid,
    LinkDown,
    Malformed,
    Stale,
    Unavailable,
    UnknownService,
)

HELLO = Say(text="hello")
ROUTE = "echo.say"


def _ask(**change: Any) -> Asked:
    how: dict[str, Any] = {"reply": Said, "patience": 4.0, **change}
    return ask(ROUTE, HELLO, **how)


def _answered(answer: Answer, asked: Asked | None = None) -> Any:
    return judge(asked or _ask(), Plain(), amqp.Message(encode(answer), correlation_id="c0ffee"))


# ---------------------------------------------------------------- asking


def test_a_call_waits_for_as_long_as_its_maker_is_patient() -> None:
    asked = _ask()
    assert asked.target == "echo"
    assert 3.9 < asked.deadline.left() <= 4
    assert bytes(asked.call.kwargs["request"]) == b'{"text":"hello"}'
    assert asked.call.request_id


def test_a_call_made_for_another_passes_on_its_name_trace_and_a_little_less_time() -> None:
    serving = Context("r1", Deadline.after(2), "00-trace")
    with use(serving):
        asked = _ask()
    assert (asked.call.request_id, asked.call.traceparent) == ("r1", "00-trace")
    assert asked.deadline == serving.deadline.shrunk()


def test_a_patient_caller_does_not_make_its_callee_wait_longer_than_itself() -> None:
    with use(Context("r1", Deadline.after(100))):
        assert _ask().deadline.left() <= 4
    with use(Context("r1", Deadline.after(HOP_MARGIN / 2))), pytest.raises(DeadlineExpired):
        _ask()


def test_a_call_that_nobody_waits_for_is_not_made() -> None:
    with pytest.raises(DeadlineExpired):
        _ask(deadline=Deadline.after(-1))


def test_a_given_deadline_and_request_id_are_kept() -> None:
    given = Deadline.after(1)
    with use(Context("r1", Deadline.after(9))):
        asked = _ask(deadline=given, request_id="r2")
    assert (asked.deadline, asked.call.request_id) == (given, "r2")


@pytest.mark.parametrize("name", ["key", "request_id"])
def test_names_that_the_other_side_would_refuse_are_refused_here(name: str) -> None:
    assert _ask(**{name: "x" * NAME_LIMIT})
    with pytest.raises(Malformed):
        _ask(**{name: "x" * (NAME_LIMIT + 1)})


def test_a_caller_travels_as_it_was_signed() -> None:
    signed = SignedCaller(b'{"id":"u1"}', b"\x00\xff")
    assert _ask(caller=signed).call.signed_caller() == signed


def test_a_command_needs_a_key() -> None:
    assert require_key("k1") == "k1"
    with pytest.raises(IdempotencyKeyRequired):
        require_key("")


def test_without_deadlines_everything_else_is_the_same() -> None:
    asked = _ask()
    patient = without_deadline(asked)
    assert patient.deadline.left() > 50
    assert (patient.route, patient.call, patient.reply) == (asked.route, asked.call, asked.reply)


def test_an_attempts_message_leaves_the_queue_when_the_next_attempt_takes_over() -> None:
    asked = _ask(deadline=Deadline.after(10))
    attempt = Attempt("c0ffee", "echo", time.time() + 2, None)
    _, properties = message_of(asked, Plain(), attempt, "rpc.reply-gateway-1")
    assert 1900 < int(properties["expiration"]) <= 2000
    assert properties["correlation_id"] == "c0ffee"
    assert properties["application_headers"]["nameko.deadline"] == str(asked.deadline.millis)


# ---------------------------------------------------------------- judging


def test_a_result_is_of_the_shape_that_was_asked_for() -> None:
    answer = Answer(result=raw({"text": "hello", "added_later": 1}))
    assert _answered(answer) == Said(text="hello")
    assert _answered(Answer(result=raw([1, 2])), _ask(reply=None)) == [1, 2]


@pytest.mark.parametrize("error", [Busy(), Stale(), Invalid(), LinkDown(), DeadlineExpired()])
def test_an_error_is_raised_as_it_was_answered(error: ConcordatError) -> None:
    with pytest.raises(type(error)) as raised:
        _answered(Answer(error=error.to_wire()))
    assert raised.value.to_wire() == error.to_wire()


@pytest.mark.parametrize("result", [{"text": 7}, {}, None, "hello"])
def test_a_result_of_another_shape_is_not_the_callers_fault(result: Any) -> None:
    with pytest.raises(Internal) as raised:
        _answered(Answer(result=raw(result)))
    assert "hello" not in json.dumps(raised.value.to_wire())


def test_a_result_that_cannot_be_read_is_not_the_callers_fault() -> None:
    message = amqp.Message(b'{"result":"\xff","error":null}')
    with pytest.raises(Internal):
        judge(_ask(reply=None), Plain(), message)


def test_a_reply_that_is_too_large_is_not_read() -> None:
    with pytest.raises(Unavailable):
        judge(_ask(), Plain(), amqp.Message(b" " * (BODY_LIMIT + 1)))
    oversize = amqp.Message(encode(Answer(result=raw({"text": "hello"}))))
    oversize.oversize = True
    with pytest.raises(Unavailable):
        judge(_ask(), Plain(), oversize)


# ---------------------------------------------------------------- spending time


class _Time:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_800_000_000.0
        for module in (calls, deadline):
            monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Time:
    return _Time(monkeypatch)


def test_a_silent_callee_costs_one_attempt_of_two(clock: _Time) -> None:
    end = clock.now + 10
    attempts = Attempts(Deadline(end))
    first = attempts.next_until()
    assert first == pytest.approx(clock.now + 10 * ATTEMPT_SHARE)
    clock.now = first
    attempts.after(DeadlineExpired())
    assert attempts.next_until() == end
    with pytest.raises(DeadlineExpired):
        attempts.after(DeadlineExpired())


def test_a_lost_connection_does_not_cost_an_attempt_but_the_deadline_bounds_it(clock: _Time) -> None:
    attempts = Attempts(Deadline(clock.now + 10), "echo.read", "r-1")
    lost = LinkDown()
    with capture_logs() as said:
        for _ in range(400):
            assert attempts.next_until() <= clock.now + 10
            attempts.after(lost)
            clock.now += 0.02
    (line,) = said
    assert (line["event"], line["method"], line["request_id"]) == ("call_attempted_again", "echo.read", "r-1")
    clock.now += 10
    with pytest.raises(LinkDown) as raised:
        attempts.after(lost)
    assert raised.value is lost


def test_no_attempt_begins_after_the_deadline(clock: _Time) -> None:
    attempts = Attempts(Deadline(clock.now + 1))
    clock.now += 1
    with pytest.raises(DeadlineExpired):
        attempts.next_until()
    with pytest.raises(DeadlineExpired):
        attempts.after(DeadlineExpired())


# ---------------------------------------------------------------- listening


def test_each_connection_listens_on_a_new_queue_that_carries_its_owners_name() -> None:
    declared: list[tuple[str, dict[str, Any]]] = []
    channel = SimpleNamespace(
        queue_declare=lambda queue, **how: declared.append((queue, how)),
        queue_bind=lambda *_: None,
        basic_consume=lambda *_, **__: None,
    )
    connection = SimpleNamespace(channel=lambda: channel)
    names = {listen_for_replies(connection, "gateway", print) for _ in range(2)}  # type: ignore[arg-type]
    assert len(names) == 2
    assert all(name.startswith("rpc.reply-gateway-") for name in names)
    assert declared[0][1] == {"exclusive": True, "auto_delete": True}
    assert channel.auto_decode is False


def test_a_call_never_waits_longer_than_a_reply_may_take() -> None:
    """Without deadlines the harness still has to see its checker fail in time."""
    assert calls.WITHOUT_DEADLINE <= LONGEST


def test_a_service_that_is_not_there_is_not_asked_again() -> None:
    """`Attempts` follows silence and lost connections only; an error of any other kind is final."""
    assert not issubclass(UnknownService, (DeadlineExpired, LinkDown))
