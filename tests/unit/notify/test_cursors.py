"""Cursors that were made here, and others."""

from __future__ import annotations

import pytest

from services.contracts.errors import Malformed
from services.notify.handlers.cursors import cursor_of, number_of, place_of


def test_a_cursor_gives_back_its_place() -> None:
    assert (
        place_of(cursor_of("0197f0a0-0000-7000-8000-000000000001")) == "0197f0a0-0000-7000-8000-000000000001"
    )
    assert number_of(cursor_of(42)) == 42
    assert place_of(None) is number_of(None) is None


@pytest.mark.parametrize("cursor", ["x", "====", "eyIkbmUiOjF9", cursor_of("$ne"), "_-_-"])
def test_what_was_not_made_here_is_malformed(cursor: str) -> None:
    with pytest.raises(Malformed):
        place_of(cursor)


def test_an_id_is_no_number() -> None:
    with pytest.raises(Malformed):
        number_of(cursor_of("0197f0a0-0000-7000-8000-000000000001"))
