"""What is inside a request and a reply: nameko's `{args, kwargs}` and `{result, error}`, encoded once.

Sealed bodies carry the call's context inside; plain ones (nameko's own wire format) carry it in `nameko.`
headers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta
from pydantic import BaseModel, ValidationError

from services.contracts.caller import Caller, SignedCaller
from services.contracts.errors import Malformed
from services.contracts.parsing import refusal

BODY_LIMIT = 1024 * 1024
"""Bytes of a request or a reply. Larger things are fetched in pages; documents have a path of their own."""

NAME_LIMIT = 200
"""Characters of a request id, an idempotency key, a traceparent: they end up in indexes, logs and headers."""

NULL = msgspec.Raw(b"null")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that somebody made up."""

Name = Annotated[str, Meta(max_length=NAME_LIMIT)]


class Call(msgspec.Struct, omit_defaults=True):
    """A request. `caller` is (body, mac in hex)."""

    args: list[msgspec.Raw] = []
    kwargs: dict[str, msgspec.Raw] = {}
    request_id: Name = ""
    key: Name | None = None
    traceparent: Name | None = None
    caller: tuple[str, str] | None = None

    def signed_caller(self) -> SignedCaller | None:
        if self.caller is None:
            return None
        try:
            return SignedCaller(self.caller[0].encode(), bytes.fromhex(self.caller[1]))
        except ValueError:
            raise Malformed(cause="caller's mac is not hex") from None


class Answer(msgspec.Struct):
    """A reply: exactly one of the two is not null."""

    result: msgspec.Raw = NULL
    error: dict[str, Any] | None = None


encode = msgspec.json.Encoder().encode
decode_call = msgspec.json.Decoder(Call).decode
decode_answer = msgspec.json.Decoder(Answer).decode
_decode_any = msgspec.json.decode


def raw(value: Any) -> msgspec.Raw:
    """The JSON of a model or of anything JSON can say, made once.

    A field that was not set is left out: its reader has the same default, and the gateway can tell "absent"
    from "null".
    """
    if isinstance(value, msgspec.Raw):
        return value
    if isinstance(value, BaseModel):
        return msgspec.Raw(value.__pydantic_serializer__.to_json(value, exclude_unset=True))
    return msgspec.Raw(encode(value))


def read(data: msgspec.Raw | bytes, model: type[BaseModel] | type[msgspec.Raw] | None) -> Any:
    """Return `data` as `model`, as plain JSON values (None), or as it is (msgspec.Raw: for who only passes it
    on). Raises Malformed, or Invalid with pointers, never values."""
    if model is msgspec.Raw:
        return data
    try:
        return _decode_any(data) if model is None else model.__pydantic_validator__.validate_json(bytes(data))
    except ValidationError as problem:
        raise refusal(problem) from None
    except UNREADABLE:
        raise Malformed(cause="not JSON") from None


class Signature:
    """How a handler wants its arguments: worked out once, when the service starts."""

    def __init__(self, method: Callable[..., Any]) -> None:
        hints = get_type_hints(method)
        names = [name for name in inspect.signature(method).parameters if name != "self"]
        self.takes_caller = _takes_caller(method, names, hints)
        self.names = [name for name in names if not (self.takes_caller and name == "caller")]
        self.models = {name: hint if _is_model(hint := hints.get(name)) else None for name in self.names}
        self.required = {
            name
            for name, parameter in inspect.signature(method).parameters.items()
            if name in self.names and parameter.default is inspect.Parameter.empty
        }

    def bind(self, call: Call) -> dict[str, Any]:
        """The arguments by name. Raises Malformed for wrong names or numbers, Invalid for wrong values."""
        given = dict(call.kwargs)
        if call.args:
            placed = dict(zip(self.names, call.args, strict=False))
            if len(call.args) > len(self.names) or placed.keys() & given.keys():
                raise Malformed(cause="too many arguments")
            given.update(placed)
        if not self.required <= given.keys() <= self.models.keys():
            raise Malformed(cause="wrong argument names")
        return {name: read(value, self.models[name]) for name, value in given.items()}


def _takes_caller(method: Callable[..., Any], names: list[str], hints: dict[str, Any]) -> bool:
    """Anything but `caller: Caller` would let whoever calls say who the caller is."""
    takes = hints.get("caller") is Caller
    meant = [name for name in names if name == "caller" or "Caller" in str(hints.get(name))]
    if meant != (["caller"] if takes else []):
        raise TypeError(f"{method.__qualname__}: the verified caller is declared as `caller: Caller`")
    return takes


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)
