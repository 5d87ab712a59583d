"""Pages that are too long for one answer end earlier."""

from __future__ import annotations

from services.cases.domain.fitting import ROOM, fitting, total


def test_what_has_room_together_stays_together() -> None:
    assert fitting([]) == 1
    assert fitting(["short"] * 100) == 100


def test_long_texts_make_a_page_short() -> None:
    assert fitting([{"text": "x" * 20_000}] * 101) == 19


def test_signs_count_with_the_bytes_that_they_are_written_in() -> None:
    assert fitting(["😀" * 20_000] * 25) == 4
    assert fitting(["\x01" * 20_000] * 25) == 3


def test_one_item_always_fits() -> None:
    assert fitting(["x" * (ROOM + 1), "y"]) == 1


def test_the_total_is_of_all() -> None:
    assert total(["ab", "c"]) == 7
