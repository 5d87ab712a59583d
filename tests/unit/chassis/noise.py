"""Bytes that are no message. An empty object is one, and Hypothesis tries constants of our own modules."""

from __future__ import annotations

from hypothesis import strategies as st


def no_object(most: int) -> st.SearchStrategy[bytes]:
    """Up to `most` bytes that do not begin a JSON object."""
    return st.binary(max_size=most).filter(lambda body: not body.strip().startswith(b"{"))
