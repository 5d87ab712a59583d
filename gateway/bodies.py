"""Reading what clients send: bounded, typed, and refused with pointers rather than values."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import falcon.asgi
from pydantic import BaseModel, ValidationError

from services.chassis import context
from services.contracts.errors import (
    DeadlineExpired,
    IdempotencyKeyRequired,
    Malformed,
    TooLarge,
    UnsupportedType,
)
from services.contracts.parsing import refusal

Model = TypeVar("Model", bound=BaseModel)

KEY_LIMIT = 128
JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
"""RFC 7396 is what our PATCH does with JSON: absent stays, null takes away."""


async def read(
    req: falcon.asgi.Request, model: type[Model], limit: int, *, may_be_empty: bool = False
) -> Model:
    """Return the JSON body as `model`. Raises TooLarge, UnsupportedType, Malformed or Invalid."""
    body = await read_bytes(req, limit, may_be_empty=may_be_empty)
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        raise refusal(problem) from None


async def read_bytes(
    req: falcon.asgi.Request,
    limit: int,
    *,
    may_be_empty: bool = False,
    kinds: frozenset[str] = frozenset({JSON}),
) -> bytes:
    """The JSON body, unread. Raises TooLarge, UnsupportedType; DeadlineExpired for one that drips in."""
    if (req.content_length or 0) > limit:
        raise TooLarge
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    empty = may_be_empty and not req.content_length and not req.get_header("Transfer-Encoding")
    if empty:
        return b"{}"
    if kind not in kinds and not (kind == _MERGE_PATCH and req.method == "PATCH"):
        raise UnsupportedType
    serving = context.current()
    try:
        # A body that drips in would hold its connection for ever.
        async with asyncio.timeout(serving.deadline.left() if serving else None):
            body: bytes = await req.bounded_stream.read(limit + 1)
    except TimeoutError:
        raise DeadlineExpired(cause="the body did not arrive in time") from None
    if len(body) > limit:
        raise TooLarge
    return body


def idempotency_key(req: falcon.asgi.Request) -> str:
    """Return the Idempotency-Key. Raises IdempotencyKeyRequired, or Malformed for one that is no key."""
    key = req.get_header("Idempotency-Key") or ""
    if not key:
        raise IdempotencyKeyRequired
    if len(key) > KEY_LIMIT or not key.isascii() or not key.isprintable():
        raise Malformed(cause="idempotency key")
    return key
