"""nameko's own wire form: what stock clients and services send and get."""

from __future__ import annotations

import json
from typing import Any

import amqp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nameko.exceptions import IncorrectSignature, MalformedRequest, MethodNotFound, RemoteError
from nameko.exceptions import deserialize as nameko_reads
from nameko.exceptions import serialize as nameko_says

from services.chassis.deadline import Deadline
from services.chassis.formats import LONGEST, Incoming
from services.chassis.payload import BODY_LIMIT, NAME_LIMIT, Answer, Call, raw
from services.chassis.plain import DEADLINE_HEADER, KEY_HEADER, REQUEST_ID_HEADER, Plain
from services.contracts.error_wire import from_wire
from services.contracts.errors import (
    ConcordatError,
    FieldError,
    Internal,
    Invalid,
    Malformed,
    RateLimited,
    TooLarge,
    Unavailable,
    UnknownMethod,
)
from tests.unit.chassis.noise import no_object

ROUTE, ID, REPLY_TO = "echo.say", "c0ffee", "rpc.reply-gateway-1"
CALL = Call(kwargs={"request": raw({"text": "hello"})}, request_id="r1", key="k1")
PLAIN = Plain()
HEADER_VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300) | st.lists(st.integers())
)


def _request(call: Call = CALL, seconds: float = 4) -> amqp.Message:
    body, properties = PLAIN.request(ROUTE, call, Deadline.after(seconds), ID, REPLY_TO)
    return amqp.Message(body, **properties)


def _incoming(message: amqp.Message) -> Incoming:
    return PLAIN.incoming(message, ROUTE, 4)


def _answered(answer: Answer) -> Any:
    body, _ = PLAIN.reply(_incoming(_request()), answer)
    return json.loads(body)


def _read(answer: Any) -> Answer:
    message = amqp.Message(json.dumps(answer).encode(), correlation_id=ID)
    return PLAIN.answer(message, ROUTE, Deadline.after(4))


def test_a_request_is_what_a_stock_service_expects() -> None:
    message = _request()
    assert json.loads(message.body) == {"args": [], "kwargs": {"request": {"text": "hello"}}}
    assert message.properties["content_type"] == "application/json"
    assert message.properties["content_encoding"] == "utf-8"
    assert message.headers["nameko.call_id_stack"] == []


def test_a_request_arrives_as_it_was_made_from_nobody_in_particular() -> None:
    incoming = _incoming(_request())
    assert incoming.call == CALL
    assert incoming.peer is None
    assert 3.5 < incoming.deadline.left() <= 4


def test_a_stock_clients_request_needs_no_headers_of_ours() -> None:
    body = json.dumps({"args": ["hello"], "kwargs": {}}).encode()
    headers = {"nameko.call_id_stack": ["standalone.1"]}
    incoming = _incoming(amqp.Message(body, correlation_id=ID, reply_to="any", application_headers=headers))
    assert incoming.call.request_id == ID
    assert incoming.call.key is None
    assert 3.5 < incoming.deadline.left() <= 4
    assert _incoming(amqp.Message(body, correlation_id=ID, reply_to="any")).call.args


@pytest.mark.parametrize(
    "value", ["soon", "", None, [], "1e3", "nan", float("nan"), float("inf"), 10**400, "9" * 400]
)
def test_a_deadline_that_makes_no_sense_counts_as_absent_or_far(value: Any) -> None:
    message = _request()
    message.headers[DEADLINE_HEADER] = value
    assert 3.5 < _incoming(message).deadline.left() <= LONGEST


def test_a_deadline_is_never_further_away_than_a_call_may_take() -> None:
    assert _incoming(_request(seconds=2**32)).deadline.left() <= LONGEST


@given(HEADER_VALUES, HEADER_VALUES, HEADER_VALUES)
def test_any_headers_give_a_request_that_can_be_served(deadline: Any, request_id: Any, key: Any) -> None:
    message = _request()
    message.headers.update({DEADLINE_HEADER: deadline, REQUEST_ID_HEADER: request_id, KEY_HEADER: key})
    call = _incoming(message).call
    assert 0 < len(call.request_id) <= NAME_LIMIT
    assert call.key is None or len(call.key) <= NAME_LIMIT


def test_a_sealed_calls_context_is_not_taken_from_the_body() -> None:
    """Only the headers say it, where a stock client can put it."""
    body = json.dumps({"args": [], "kwargs": {}, "key": "inside", "request_id": "inside"}).encode()
    call = _incoming(amqp.Message(body, correlation_id=ID, reply_to="any")).call
    assert (call.key, call.request_id) == (None, ID)


@given(no_object(60))
def test_a_request_that_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        _incoming(amqp.Message(body, correlation_id=ID, reply_to="any"))


def test_a_request_that_cannot_be_answered_is_malformed() -> None:
    with pytest.raises(Malformed):
        _incoming(amqp.Message(_request().body, correlation_id=ID))


def test_a_body_that_is_too_large_is_not_sent() -> None:
    large = raw("x" * (BODY_LIMIT + 1))
    with pytest.raises(TooLarge):
        _request(Call(kwargs={"request": large}))
    with pytest.raises(TooLarge):
        _answered(Answer(result=large))


def test_a_result_is_what_a_stock_client_reads() -> None:
    assert _answered(Answer(result=raw({"text": "hello"}))) == {"result": {"text": "hello"}, "error": None}


def test_a_stock_client_reads_our_error_as_a_remote_one_with_its_code() -> None:
    error = _answered(Answer(error=Invalid(cause="private").to_wire()))["error"]
    problem = nameko_reads(error)
    assert isinstance(problem, RemoteError)
    assert (problem.exc_type, problem.value) == ("Invalid", "invalid")
    assert "private" not in json.dumps(error)


@pytest.mark.parametrize(
    ("error", "theirs"), [(UnknownMethod(), MethodNotFound), (Malformed(), MalformedRequest)]
)
def test_a_stock_client_raises_namekos_own_error_where_there_is_one(
    error: ConcordatError, theirs: type[Exception]
) -> None:
    assert type(nameko_reads(_answered(Answer(error=error.to_wire()))["error"])) is theirs


@pytest.mark.parametrize(
    "error",
    [
        Invalid(errors=(FieldError("/text", "too_long", "This text is too long."),)),
        RateLimited(retry_after=7),
        UnknownMethod(),
        from_wire({"code": "from_the_future", "status": 409}),
    ],
)
def test_our_own_error_comes_back_as_it_was(error: ConcordatError) -> None:
    answer = _read(_answered(Answer(error=error.to_wire())))
    assert answer.error is not None
    back = from_wire(answer.error)
    assert (type(back), back.to_wire()) == (type(error), error.to_wire())


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (MethodNotFound("say"), "unknown_method"),
        (MalformedRequest("no kwargs"), "malformed"),
        (IncorrectSignature("say() takes 1"), "malformed"),
        (ValueError("Jane Doe"), "internal"),
    ],
)
def test_a_stock_services_error_becomes_one_of_ours(raised: Exception, code: str) -> None:
    answer = _read({"result": None, "error": nameko_says(raised)})
    assert answer.error is not None
    assert answer.error["code"] == code
    assert "Jane" not in json.dumps(answer.error)


def test_a_stock_services_failure_is_not_blamed_on_the_request() -> None:
    answer = _read({"result": None, "error": nameko_says(KeyError("x"))})
    assert isinstance(from_wire(answer.error), Internal)


@pytest.mark.parametrize("error", [{}, {"exc_type": None}, {"exc_type": ["x" * 999]}, {"code": 7}])
def test_an_error_of_any_shape_is_an_error(error: dict[str, Any]) -> None:
    answer = _read({"result": None, "error": error})
    assert answer.error is not None
    assert isinstance(from_wire(answer.error), ConcordatError)


@given(no_object(60))
def test_an_answer_that_cannot_be_read_is_unavailability(body: bytes) -> None:
    with pytest.raises(Unavailable):
        PLAIN.answer(amqp.Message(body, correlation_id=ID), ROUTE, Deadline.after(4))
