"""A search for the own name is known as one, and others are not."""

from __future__ import annotations

import pytest

from services.cases.domain.labels import words_asked
from services.cases.domain.own_name import is_own


@pytest.mark.parametrize(
    ("name", "text", "own"),
    [
        ("Ann O'Neill", "ann o'neill", True),
        ("Ann Bell", "BELL", True),
        ("Ann Bell", "bell ann", True),
        ("Ann Bell", "Ann Bell Harbour Street", True),
        ("Ann Bell", "ann", False),
        ("Ann Bell", "bell harbour", False),
        ("Ann Bell", "ben bell", False),
        ("Ann Bell", "", False),
        ("", "ann", False),
        ("José Núñez", "nunez", True),
    ],
)
def test_own_names(name: str, text: str, own: bool) -> None:
    assert is_own(name, words_asked(text)) is own
