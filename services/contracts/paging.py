"""Lists: bounded, in a stable order, continued by an opaque cursor."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from .messages import Reply, Request

Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9_=-]+$")]
"""Made by the holder, read by the holder alone. One that it did not make is Malformed. No personal data."""


class PageRequest(Request):
    """Which part of a list."""

    limit: Limit = 25
    cursor: Cursor | None = None


class Ref(Reply):
    """A thing by id, with the name that people know it by."""

    id: str
    name: str
