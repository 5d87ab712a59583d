"""Cursors that somebody else made are refused, and never reach the database."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from services.contracts.errors import Malformed
from services.sharing.stores.pages import cursor_of, read_cursor
from services.sharing.stores.procedures import _version


def test_a_cursor_is_what_was_written() -> None:
    assert read_cursor(cursor_of("01a20eef-a2ab-717b-8bc9-1f7c9981b29e")) == (
        "01a20eef-a2ab-717b-8bc9-1f7c9981b29e"
    )
    assert read_cursor(cursor_of(12), _version) == 12


@pytest.mark.parametrize("made", ["\ud800", [True, "\ud800"], "a\\b"])
def test_no_cursor_holds_what_ids_do_not(made: Any) -> None:
    with pytest.raises(Malformed):
        read_cursor(base64.urlsafe_b64encode(json.dumps(made).encode()).decode())


@pytest.mark.parametrize("made", [10**40, -1, "9" * 30, 1e400, None, [1]])
def test_a_version_is_a_small_number(made: Any) -> None:
    with pytest.raises(Malformed):
        read_cursor(cursor_of(made), _version)
