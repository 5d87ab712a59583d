"""What cannot be read is told by place and code, never by value."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator

from services.contracts.echo import ChangeNote, Say
from services.contracts.errors import ConcordatError, Invalid, Malformed
from services.contracts.messages import Id, Request
from services.contracts.parsing import parse

SECRET = "Margaret Hollis"


class Address(Request):
    line: Id
    number: int = 1


class Registration(Request):
    """Has every shape in which an input could be quoted."""

    addresses: tuple[Address, ...] = ()
    by_name: dict[str, int] = Field(default_factory=dict)
    note: str = ""

    @field_validator("note")
    @classmethod
    def _quotes_its_input(cls, value: str) -> str:
        if value:
            raise ValueError(f"not {value}")
        return value


def refusal_of(body: object, model: type[Request] = Registration) -> ConcordatError:
    with pytest.raises(ConcordatError) as refused:
        parse(model, json.dumps(body))
    assert SECRET not in json.dumps(refused.value.to_problem("r"))
    assert SECRET not in f"{refused.value!r} {refused.value.cause}"
    assert refused.value.__cause__ is None
    return refused.value


def pairs(error: ConcordatError) -> list[tuple[str, str]]:
    return [(field.pointer, field.code) for field in error.errors]


def test_what_is_right_is_read_from_text_and_from_an_object() -> None:
    assert parse(Say, b'{"text": "x"}') == parse(Say, '{"text": "x"}') == parse(Say, {"text": "x"})


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"text": }', b'{"text": "\x00"}', b"\xef\xbb\xbf{}"])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(Say, body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("/note_id", "required"), ("/text", "required")]),
        ({"note_id": "n", "text": 4}, [("/text", "wrong_type")]),
        ({"note_id": "a b", "text": ""}, [("/note_id", "wrong_form")]),
        ({"note_id": "n", "text": "x" * 10_001}, [("/text", "too_long")]),
        ({"note_id": "n", "text": "", "colour": 1}, [("/colour", "unknown_field")]),
        ([], [("", "wrong_type")]),
        (None, [("", "wrong_type")]),
    ],
)
def test_each_wrong_field_is_pointed_at(body: object, expected: list[tuple[str, str]]) -> None:
    assert pairs(refusal_of(body, ChangeNote)) == expected


def test_a_place_inside_a_list_is_pointed_at() -> None:
    body = {"addresses": [{"line": "a"}, {"line": SECRET, "number": "x"}]}
    assert pairs(refusal_of(body)) == [
        ("/addresses/1/line", "wrong_form"),
        ("/addresses/1/number", "wrong_form"),
    ]


def test_a_list_with_a_wrong_item_is_not_told_to_be_too_short() -> None:
    class Some(Request):
        items: tuple[Address, ...] = Field(min_length=1)

    with pytest.raises(Invalid) as refused:
        parse(Some, {"items": [{"line": ""}]})
    assert [error.pointer for error in refused.value.errors] == ["/items/0/line"]
    with pytest.raises(Invalid) as refused:
        parse(Some, {"items": []})
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/items", "too_few")]


def test_a_validators_own_words_are_not_passed_on() -> None:
    assert pairs(refusal_of({"note": SECRET})) == [("/note", "invalid")]


def test_a_key_that_may_be_a_value_ends_the_pointer() -> None:
    assert pairs(refusal_of({"by_name": {SECRET: "x"}})) == [("/by_name", "wrong_form")]
    assert pairs(refusal_of({SECRET: 1})) == [("", "unknown_field")]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(Malformed, Invalid):
        parse(Say, body)
