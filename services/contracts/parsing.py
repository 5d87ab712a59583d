"""From untrusted bytes to a message, or to an error that names the place and never the value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import FieldError, Invalid, Malformed

Message = TypeVar("Message", bound=BaseModel)

# Only these cross the boundary: a validator's own text might quote its input.
_KNOWN = {
    "missing": ("required", "This field is required."),
    "extra_forbidden": ("unknown_field", "This field is not known."),
    "string_too_long": ("too_long", "This text is too long."),
    "string_too_short": ("too_short", "This text is too short."),
    "too_long": ("too_many", "There are too many items."),
    "too_short": ("too_few", "There are too few items."),
    "string_pattern_mismatch": ("wrong_form", "This text does not have the form that it must have."),
    "literal_error": ("not_a_choice", "This is not one of the permitted values."),
    "enum": ("not_a_choice", "This is not one of the permitted values."),
    "greater_than": ("out_of_range", "This number is out of range."),
    "greater_than_equal": ("out_of_range", "This number is out of range."),
    "less_than": ("out_of_range", "This number is out of range."),
    "less_than_equal": ("out_of_range", "This number is out of range."),
    "timezone_aware": ("wrong_form", "This time must name its zone."),
}
_SUFFIXES = {
    "_type": ("wrong_type", "This has the wrong type."),
    "_parsing": ("wrong_form", "Cannot be read."),
}
_OTHER = ("invalid", "This is not acceptable.")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


def parse(model: type[Message], body: bytes | str | Mapping[str, Any]) -> Message:
    """`body`, JSON text or its object, as `model`. Raises Malformed (no JSON) or Invalid (wrong)."""
    try:
        if isinstance(body, (bytes, str)):
            return model.model_validate_json(body)
        return model.model_validate(body)
    except ValidationError as error:
        raise refusal(error) from None


def refusal(error: ValidationError) -> Malformed | Invalid:
    """The public face of a validation error."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(item["type"] == "json_invalid" for item in found):
        return Malformed(cause="not JSON")
    places = [item["loc"] for item in found]
    return Invalid(
        errors=tuple(
            _field_error(item["loc"], item["type"])
            for item in found
            if item["type"] != "too_short" or not _holds_another(item["loc"], places)
        )
    )


def _holds_another(place: tuple[int | str, ...], places: list[tuple[int | str, ...]]) -> bool:
    """A list whose items are wrong: pydantic leaves them out before it counts, and finds too few."""
    return any(len(other) > len(place) and other[: len(place)] == place for other in places)


def _field_error(place: tuple[int | str, ...], kind: str) -> FieldError:
    code, detail = _KNOWN.get(kind) or next(
        (public for suffix, public in _SUFFIXES.items() if kind.endswith(suffix)), _OTHER
    )
    return FieldError(_pointer(place), code, detail)


def _pointer(place: tuple[int | str, ...]) -> str:
    """RFC 6901. It ends before the first key that does not look like a field's name: a key may be a value."""
    pointer = ""
    for part in place:
        if isinstance(part, str) and not _FIELD_NAME.fullmatch(part):
            break
        pointer += f"/{part}"
    return pointer
