"""Requests refuse what they do not know; replies and events ignore it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.contracts import caller, echo, envelope
from services.contracts.messages import EventData, Id, Moment, Reply, Request

NOTE = {"note_id": "n-1"}
SECRET = "Margaret Hollis"


def messages_of(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [found for found in vars(echo).values() if isinstance(found, type) and issubclass(found, base)]


def example(model: type[BaseModel]) -> dict[str, object]:
    values = {"note_id": "n-1", "text": "Hello", "version": 3, "applied": 3}
    return {name: values[name] for name in model.model_fields}


@pytest.mark.parametrize("model", [m for m in messages_of(Request) if m is not Request])
def test_a_request_refuses_a_field_it_does_not_know(model: type[BaseModel]) -> None:
    model.model_validate(example(model))
    with pytest.raises(ValidationError) as refused:
        model.model_validate({**example(model), "colour": SECRET})
    assert [error["type"] for error in refused.value.errors()] == ["extra_forbidden"]
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "model", [m for m in messages_of(Reply) + messages_of(EventData) if m not in (Reply, EventData)]
)
def test_a_reply_and_an_event_ignore_a_field_they_do_not_know(model: type[BaseModel]) -> None:
    assert model.model_validate({**example(model), "colour": "red"}) == model.model_validate(example(model))


@pytest.mark.parametrize("model", messages_of(EventData))
def test_an_event_holds_ids_only(model: type[BaseModel]) -> None:
    id_schema = TypeAdapter(Id).json_schema()
    for schema in model.model_json_schema().get("properties", {}).values():
        assert {key: schema[key] for key in id_schema} == id_schema


@pytest.mark.parametrize("model", [*messages_of(BaseModel), caller.Caller, envelope.Event])
def test_a_message_cannot_be_changed_and_hides_its_input_when_refused(model: type[BaseModel]) -> None:
    assert model.model_config["frozen"]
    assert model.model_config["hide_input_in_errors"]


def test_a_text_longer_than_ten_thousand_is_refused() -> None:
    assert len(echo.Say(text="x" * 10_000).text) == 10_000
    with pytest.raises(ValidationError):
        echo.Say(text="x" * 10_001)


@pytest.mark.parametrize("bad", ["", " ", "a b", "-a", "a/b", "a\n", "x" * 65, "é", "a@b"])
def test_an_id_is_a_plain_token(bad: str) -> None:
    with pytest.raises(ValidationError):
        echo.GetNote(note_id=bad)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(datetime(2026, 11, 23, 3, 0))


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28)),
    st.integers(-23 * 60, 23 * 60),
)
def test_a_moment_is_held_in_utc(local: datetime, minutes: int) -> None:
    given_moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    held = TypeAdapter(Moment).validate_python(given_moment)
    assert held == given_moment
    assert held.tzinfo is UTC


@given(st.text(max_size=200))
def test_any_text_goes_through_json_unchanged(text: str) -> None:
    try:
        said = echo.Say(text=text)
    except ValidationError:
        # Lone surrogates are no text.
        assert any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)
        return
    assert echo.Say.model_validate_json(said.model_dump_json()) == said


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_utc_does_not_have_is_refused(edge: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(edge)
