"""What is inside a request and a reply, and how a handler gets its arguments."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.payload import (
    NAME_LIMIT,
    UNREADABLE,
    Answer,
    Call,
    Signature,
    decode_answer,
    decode_call,
    encode,
    raw,
    read,
)
from services.contracts.caller import Caller
from services.contracts.echo import ChangeNote, Said, Say
from services.contracts.errors import Invalid, Malformed
from tests.unit.chassis.noise import no_object

SECRET = "Jane Doe, born 1980"
NESTED = b"[" * 100_000
UNDECODABLE = [b"\xff", b'"\xff"', b"", b"{", NESTED, b'"\\ud800"', b"nul", b"1 2", b'{"a":\xed\xa0\x80}']


class _Handlers:
    def say(self, request: Say) -> Said: ...  # type: ignore[empty-body]

    def asked_by(self, request: Say, caller: Caller) -> Said: ...  # type: ignore[empty-body]

    def untyped(self, first: Any, second: Any = None) -> Any: ...

    def nothing(self) -> None: ...

    def two(self, request: Say, change: ChangeNote) -> None: ...


def _call(*args: Any, **kwargs: Any) -> Call:
    return Call(args=[raw(value) for value in args], kwargs={name: raw(v) for name, v in kwargs.items()})


def _bind(method: Any, call: Call) -> dict[str, Any]:
    return Signature(method).bind(call)


def test_a_call_survives_the_trip() -> None:
    call = Call([raw(1)], {"request": raw(Say(text="hé"))}, "r1", "k1", "00-trace", ("{}", "ab"))
    assert decode_call(encode(call)) == call


def test_what_a_call_does_not_have_costs_no_bytes() -> None:
    assert encode(Call(kwargs={"request": raw(Say(text="hi"))})) == b'{"kwargs":{"request":{"text":"hi"}}}'


def test_a_call_is_what_stock_nameko_sends() -> None:
    assert decode_call(json.dumps({"args": [1], "kwargs": {"a": None}}).encode()) == _call(1, a=None)


def test_an_answer_survives_the_trip() -> None:
    answer = Answer(error={"code": "busy", "status": 503})
    assert decode_answer(encode(answer)) == answer
    assert json.loads(encode(Answer(result=raw([1])))) == {"result": [1], "error": None}


@pytest.mark.parametrize("name", ["request_id", "key", "traceparent"])
def test_names_that_end_up_in_indexes_and_logs_are_short(name: str) -> None:
    assert decode_call(json.dumps({name: "x" * NAME_LIMIT}).encode())
    with pytest.raises(UNREADABLE):
        decode_call(json.dumps({name: "x" * (NAME_LIMIT + 1)}).encode())


@given(no_object(60))
def test_bytes_that_are_no_call_raise_only_what_is_expected(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        decode_call(body)
    with pytest.raises(UNREADABLE):
        decode_answer(body)


def test_a_callers_mac_that_is_not_hex_is_malformed() -> None:
    signed = Call(caller=("{}", "00ff")).signed_caller()
    assert signed is not None
    assert (signed.body, signed.mac) == (b"{}", b"\x00\xff")
    assert Call().signed_caller() is None
    with pytest.raises(Malformed):
        Call(caller=("{}", "xyz")).signed_caller()


@pytest.mark.parametrize("data", UNDECODABLE)
@pytest.mark.parametrize("model", [None, Say])
def test_raw_data_that_is_not_json_is_malformed(data: bytes, model: Any) -> None:
    with pytest.raises(Malformed):
        read(data, model)
    with pytest.raises(Malformed):
        read(msgspec.Raw(data), model)


def test_an_argument_that_only_its_reader_finds_undecodable_is_malformed() -> None:
    """The envelope is valid: raw parts are checked where they are read."""
    with pytest.raises(Malformed):
        _bind(_Handlers.untyped, decode_call(b'{"kwargs":{"first":"\xff"}}'))
    with pytest.raises(Malformed):
        _bind(_Handlers.say, decode_call(b'{"kwargs":{"request":{"text":"\xff"}}}'))


@given(st.binary(max_size=60), st.sampled_from([None, Say]))
def test_reading_raises_nothing_else(data: bytes, model: Any) -> None:
    try:
        read(data, model)
    except (Malformed, Invalid):
        return
    json.loads(data)


def test_what_is_wrong_is_named_by_its_place_and_never_by_its_value() -> None:
    with pytest.raises(Invalid) as refused:
        read(raw({"text": [SECRET], SECRET: SECRET}), Say)
    public = json.dumps(refused.value.to_wire())
    assert {(error.pointer, error.code) for error in refused.value.errors} == {
        ("/text", "wrong_type"),
        ("", "unknown_field"),
    }
    assert "Jane" not in public


def test_a_problem_does_not_carry_what_was_read() -> None:
    with pytest.raises(Invalid) as refused:
        read(raw({"text": {"inner": SECRET}}), Say)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert SECRET not in repr(refused.value.args) + str(refused.value.cause)


def test_a_handler_gets_its_request_as_a_model() -> None:
    assert _bind(_Handlers.say, _call(request={"text": "hi"})) == {"request": Say(text="hi")}


def test_arguments_may_be_given_by_place_or_by_name() -> None:
    assert _bind(_Handlers.untyped, _call(1)) == {"first": 1}
    assert _bind(_Handlers.untyped, _call(1, second=2)) == {"first": 1, "second": 2}
    assert _bind(_Handlers.untyped, _call(1, 2)) == {"first": 1, "second": 2}
    assert _bind(_Handlers.nothing, _call()) == {}


def test_an_optional_argument_may_be_left_out() -> None:
    assert _bind(_Handlers.untyped, _call(first=[1])) == {"first": [1]}


@pytest.mark.parametrize(
    ("method", "call"),
    [
        (_Handlers.say, _call()),
        (_Handlers.say, _call(reqest={"text": "hi"})),
        (_Handlers.say, _call(request={"text": "hi"}, more=1)),
        (_Handlers.say, _call({"text": "hi"}, {"text": "hi"})),
        (_Handlers.say, _call(request={"text": "hi"}, self=1)),
        (_Handlers.two, _call({"text": "hi"})),
        (_Handlers.untyped, _call(1, 2, 3)),
        (_Handlers.untyped, _call(second=2)),
        (_Handlers.untyped, _call(1, first=2)),
        (_Handlers.nothing, _call(1)),
        (_Handlers.nothing, _call(a=1)),
    ],
)
def test_wrong_names_or_numbers_of_arguments_are_malformed(method: Any, call: Call) -> None:
    with pytest.raises(Malformed):
        _bind(method, call)


def test_the_caller_is_never_taken_from_the_arguments() -> None:
    signature = Signature(_Handlers.asked_by)
    assert signature.takes_caller
    assert signature.names == ["request"]
    assert signature.bind(_call({"text": "hi"})) == {"request": Say(text="hi")}
    for call in (_call(request={"text": "hi"}, caller={"id": "u1"}), _call({"text": "hi"}, {"id": "u1"})):
        with pytest.raises(Malformed):
            signature.bind(call)


def _optional(request: Say, caller: Caller | None) -> None: ...


def _defaulted(request: Say, caller: Caller | None = None) -> None: ...


def _untyped(request: Say, caller) -> None: ...  # type: ignore[no-untyped-def]


def _renamed(request: Say, who: Caller) -> None: ...


def _wrong(request: Say, caller: dict[str, Any]) -> None: ...


@pytest.mark.parametrize("method", [_optional, _defaulted, _untyped, _renamed, _wrong])
def test_a_handler_that_would_take_the_caller_from_the_arguments_does_not_start(method: Any) -> None:
    with pytest.raises(TypeError, match="caller"):
        Signature(method)
