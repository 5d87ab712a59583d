"""What a holder answers when it shows something: the body, and what the gateway says about it in headers.

A reply's fields that were not set are absent from the HTTP body; those set to None are null in it.
"""

from __future__ import annotations

from .messages import Moment, Reply


class Disclosed(Reply):
    """The consultation entry under which data left, and by when it is in the log."""

    entry_id: str
    by: Moment


class View(Reply):
    """`etag` and `disclosed` become headers; everything else is the body of the answer."""

    etag: str | None = None
    disclosed: Disclosed | None = None


class Empty(View):
    """Nothing to say: 204."""
